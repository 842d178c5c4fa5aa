"""The evaluations that are on record, with what they measured."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from regrow.ask.evals.repeats import apart
from regrow.evidence import datasets
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.learn.evaluate import items as rows
from regrow.learn.evaluate.bootstrap import MICRO, Score
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.probes import Checkpoint, checkpoint
from regrow.params.posttrain import Pairs
from regrow.recipe.kind import Which
from regrow.release.history import WEIGHTS

STEP = "evaluate"
Key = tuple[str, str]


@dataclass(frozen=True)
class Evaluation:
    """What was measured of one checkpoint."""

    name: str
    """`rlvr-000080`"""
    about: Checkpoint
    record: Record
    results: Mapping[str, Any]
    path: Path | None
    """of items.parquet"""

    @cached_property
    def items(self) -> dict[str, list[Item]]:
        """Items by probe."""
        return rows.read(self.path) if self.path else {}

    def scores(self, probe: str) -> dict[Key, Score]:
        """(family, item) -> score, {} where the probe was not taken.

        Bits per byte weigh documents by their bytes, everything else counts each item once.
        """
        if probe == "bits_per_byte":
            return {
                (d["domain"], d["id"]): Score(round(d["bits"] * MICRO), d["bytes"])
                for d in self.results.get("documents", [])
            }
        return rows.scores(rows.averaged(self.items.get(probe, [])))

    @property
    def settings(self) -> tuple[int, int]:
        """Resamples and seed of its intervals."""
        section = self.record.parts.get("params", {}).get("evaluate", {})
        return int(section.get("bootstrap", 2_000)), int(section.get("seed", 0))


class Evaluations:
    """All evaluations of a tree whose results are on disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.outputs = Outputs(ledger)
        found = []
        for record in ledger.records:
            if record.step != STEP and not record.step.startswith(f"{STEP}_seed"):
                continue
            try:
                about = checkpoint(record.instance or "")
            except ValueError:
                continue  # a record of an older flow
            results = self.outputs.json(record.name, "results.json")
            if results is not None:
                path = self.outputs.path(record.name, "items.parquet")
                found.append(Evaluation(record.instance or "", about, record, results, path))
        ranks = [e.about.stage for e in sorted(found, key=self._rank)]
        found.sort(key=lambda e: (ranks.index(e.about.stage), e.about.seed, e.about.step))
        self.all = found

    def _rank(self, evaluation: Evaluation) -> tuple[Any, ...]:
        """Sort key: the place of the checkpoint in the flow."""
        record = self.checkpoint(evaluation)
        return record.order if record else (True, 0, evaluation.name, "")

    def of(self, stage: str, seed: int = 0) -> list[Evaluation]:
        """Of a stage under a seed, by step."""
        return [e for e in self.all if e.about.stage == stage and e.about.seed == seed]

    def first(self, stage: str, seed: int = 0) -> Evaluation | None:
        """Of the first checkpoint of a stage."""
        found = self.of(stage, seed)
        return found[0] if found else None

    def last(self, stage: str, seed: int = 0) -> Evaluation | None:
        """Of the last checkpoint of a stage."""
        found = self.of(stage, seed)
        return found[-1] if found else None

    def seeds(self, stage: str) -> tuple[list[int], dict[int, str]]:
        """Seeds whose last evaluation of the stage may be averaged with seed 0's, and why the others may not.

        A seed counts where nothing but the seed decides the difference, evaluation included; without an
        evaluation under seed 0 there is nothing that another would repeat.
        """
        counted: list[int] = []
        ignored: dict[int, str] = {}
        first = self.last(stage)
        for seed in sorted({e.about.seed for e in self.all if e.about.stage == stage}):
            other = self.last(stage, seed)
            if not seed:
                counted.append(seed)
            elif first is None or other is None:
                ignored[seed] = f"there is no evaluation of {stage} under seed 0 that it repeats"
            elif why := self._differs(first, other):
                ignored[seed] = why
            else:
                counted.append(seed)
        return counted, ignored

    def checkpoint(self, evaluation: Evaluation) -> Record | None:
        """The record of the checkpoint that was evaluated, None where it is not here."""
        entry = evaluation.record.inputs.get("checkpoint") or {}
        return self.ledger.by_file.get(str(entry.get("record", "")))

    def _differs(self, one: Evaluation, other: Evaluation) -> str | None:
        """Why `other` is no repetition of `one`, None where only the seed differs."""
        for each in (one, other):
            if self.checkpoint(each) is None:
                return f"the record of the checkpoint {each.name} is not here"
        return apart(self.ledger, one.record, other.record)

    def before(self, after: Evaluation, which: Which) -> Evaluation | None:
        """What `after` is compared with: `first`, the first of its own stage; `base`, the nearest checkpoint of
        another stage on the chain of its records that was evaluated."""
        if which == "first":
            return self.first(after.about.stage, after.about.seed)
        record = self.checkpoint(after)
        if record is None:
            return None
        by_name = {e.name.replace("-", "."): e for e in self.all}
        return next((by_name[n] for n in self._up(record) if n in by_name), None)

    def _up(self, record: Record) -> list[str]:
        """The checkpoints of other stages whose weights one began from, the nearest first."""
        seen: list[Record] = [record]
        for at in seen:
            for name in WEIGHTS:
                parent = self.ledger.by_file.get(str((at.inputs.get(name) or {}).get("record", "")))
                if parent is not None and parent not in seen:
                    seen.append(parent)
        return [one.name for one in seen if one.step != record.step]

    def length_weight(self, seed: int = 0) -> float:
        """What a token costs in the score of the judge that made the preference pairs."""
        end = f"_seed{seed}" if seed else ""
        made = [
            record
            for record in datasets.made(self.ledger, datasets.PAIRS, seeds=True)
            if record.step == f"{record.stage}{end}"
        ]
        values = made[0].parts["params"].values() if made else ()
        section = next((v for v in values if isinstance(v, Mapping)), {})
        return float(section.get("length_weight", Pairs().length_weight))

    def named(self, names: Sequence[str]) -> list[Evaluation]:
        """The evaluations that `names` mean; by default the last of every stage, seed 0.

        A name is a checkpoint (`rlvr-000080`, `rlvr.000080`, `evaluate.rlvr-000080`) or a
        stage, which means all its checkpoints.

        Raises:
            Unanswerable: no evaluation on disk, or a name that fits none.
        """
        if not self.all:
            hint = self.outputs.hint() or "Build them with `snakemake --cores all`."
            raise Unanswerable(f"no evaluation to show: {hint}")
        if not names:
            stages = dict.fromkeys(e.about.stage for e in self.all)
            lasts = (self.last(stage) for stage in stages)
            return [e for e in lasts if e is not None]
        found: list[Evaluation] = []
        for name in names:
            found += [e for e in self._named(name) if e not in found]
        return found

    def _named(self, name: str) -> list[Evaluation]:
        text = name.strip("/").removeprefix("data/").removeprefix("evaluate/")
        text = text.removeprefix("evaluate.").replace("/", "-").replace(".", "-")
        exact = [e for e in self.all if e.name == text]
        if exact or (exact := [e for e in self.all if e.name.rpartition("-")[0] == text]):
            return exact
        known = [e.name for e in self.all]
        near = difflib.get_close_matches(
            text, [*known, *dict.fromkeys(e.about.stage for e in self.all)], n=3, cutoff=0.4
        )
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise Unanswerable(
            f"no evaluation of `{name}` on disk.{hint} There are: {', '.join(known)}. "
            f"{self.outputs.hint()}".rstrip()
        )
