"""Tasks and all that was made of them: examples, pairs, prompts with their rewards, answers, scores."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from regrow.ask.trace.made import SPLITS
from regrow.evidence import datasets
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.examples import Pairs, Table
from regrow.evidence.runs.rollouts import Rollouts
from regrow.evidence.runs.run import Run
from regrow.learn.evaluate.metrics import metric
from regrow.publish.explorer.seen import Seen

PROMPTS = ("difficulty", "difficulty_zero")


@dataclass(frozen=True)
class Used:
    """An example or a pair of a task, in the run of a stage."""

    id: str
    checkpoint: str
    steps: list[int]
    about: str
    """the teacher of an example; of a pair the scores"""


@dataclass(frozen=True)
class Rewarded:
    """A task as a prompt of a run of reinforcement learning."""

    checkpoint: str
    steps: list[int]
    rewards: list[float]
    """mean of the answers of each step"""
    answers: int
    tokens: int
    shown: list[tuple[int, float, str, str]]
    """the first and the last answer: step, reward, reason, text"""


@dataclass
class Task:
    """A task and its way."""

    id: str
    family: str
    split: str
    question: str
    answer: str
    passed: list[tuple[str, int, int, bool]] = field(default_factory=list)
    """step, passes, samples, kept"""
    used: list[Used] = field(default_factory=list)
    heldout_pairs: list[str] = field(default_factory=list)
    rewarded: list[Rewarded] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    scores: list[tuple[str, str, float]] = field(default_factory=list)
    """checkpoint (the last of a stage), probe, mean value"""

    @property
    def weight(self) -> tuple[int, int, int, int, str]:
        """Sort key: prompts with most answers, held-out tasks that were asked, pairs, examples."""
        answers = sum(entry.answers for entry in self.rewarded)
        return -answers, -bool(self.scores), -len(self.used), -len(self.seen), self.id


def tasks(outputs: Outputs, runs: list[Run], exposed: dict[str, list[Seen]]) -> list[Task]:
    """Every task, what a page should list first in front.

    Args:
        outputs: the tables.
        runs: the longest of every stage.
        exposed: what the runs over packed sequences saw, by document or task.
    """
    found: dict[str, Task] = {}
    for split in SPLITS:
        table = outputs.table("tasks", f"{split}.parquet")
        if table is not None:
            columns = ["id", "family", "question", "answer"]
            for id, *rest in table.select(columns).collect().iter_rows():
                found[id] = Task(id, rest[0], split, rest[1], rest[2], seen=exposed.get(id, []))
    for run in runs:
        if isinstance(run, Table):
            _used(run, found)
        elif isinstance(run, Rollouts):
            _rewarded(run, found)
    _passed(outputs, found)
    for job in datasets.jobs(outputs.ledger, datasets.PAIRS):
        heldout = outputs.table(job, "heldout.parquet")
        if heldout is None:
            continue
        for id, task in heldout.select("id", "task").sort("id").collect().iter_rows():
            if task in found:
                found[task].heldout_pairs.append(id)
    _scored(outputs, found)
    return sorted(found.values(), key=lambda task: task.weight)


def _used(run: Table, found: dict[str, Task]) -> None:
    rows = run.read()[0]
    steps: dict[int, list[int]] = {}
    for step in range(1, run.last_step + 1):
        for number in run.numbers(step):
            steps.setdefault(number, []).append(step)
    pairs = isinstance(run, Pairs)
    about = ["chosen_score", "rejected_score"] if pairs else ["teacher"]
    for number, row in enumerate(rows.select("id", "task", *about).iter_rows()):
        id, task, *known = row
        if task in found:
            said = f"{known[0]:g} over {known[1]:g}" if pairs else str(known[0])
            at = sorted(set(steps.get(number, [])))
            found[task].used.append(Used(id, run.checkpoint.name, at, said))


def _rewarded(run: Rollouts, found: dict[str, Task]) -> None:
    by = run.rows.sort("step", maintain_order=True).group_by("task", maintain_order=True)
    for (name,), rows in by:
        task = found.get(str(name))
        if task is None:
            continue
        means = rows.group_by("step", maintain_order=True).agg(pl.col("reward").mean())
        ends = [rows.row(n, named=True) for n in dict.fromkeys((0, rows.height - 1))]
        task.rewarded.append(
            Rewarded(
                run.checkpoint.name,
                means["step"].to_list(),
                means["reward"].to_list(),
                rows.height,
                int(rows["tokens"].sum()),
                [(e["step"], e["reward"], e["reason"], e.get("text") or "") for e in ends],
            )
        )


def _passed(outputs: Outputs, found: dict[str, Task]) -> None:
    for job in PROMPTS:
        table = outputs.table(job, "prompts.parquet")
        if table is not None:
            columns = ["task", "passes", "samples", "kept"]
            have = table.collect_schema().names()
            for row in table.select([c for c in columns if c in have]).collect().to_dicts():
                if row["task"] in found:
                    kept = bool(row.get("kept", True))
                    passed = (job, row["passes"], row["samples"], kept)
                    found[row["task"]].passed.append(passed)


def _scored(outputs: Outputs, found: dict[str, Task]) -> None:
    """Scores of the last checkpoint of every stage, of the items that are tasks."""
    ledger: Ledger = outputs.ledger
    for stage in dict.fromkeys(record.step for record in ledger.checkpoints()):
        if "_seed" in stage:
            continue  # the same stage again
        record = ledger.checkpoints(stage)[-1]
        about = ledger.about("evaluate", record)
        table = outputs.table(about.name, "items.parquet") if about else None
        if table is None:
            continue
        means = table.group_by("item", "probe").agg(pl.col("value").mean()).sort("item", "probe")
        for item, probe, value in means.collect().iter_rows():
            if item in found and _share(probe):
                found[item].scores.append((record.name, probe, value))


def _share(probe: str) -> bool:
    """Whether a probe says how well (or how often) an item was done."""
    try:
        return metric(probe).rate
    except KeyError:
        return False
