"""What the flow made itself: tasks, examples, pairs, synthetic documents; found and followed by id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regrow.ask.trace import forks
from regrow.ask.trace.match import Match
from regrow.ask.trace.stop import Outcome, Stop
from regrow.ask.trace.takedowns import unmasked
from regrow.evidence import datasets
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs

BRANCHES = ("think", "instruct")
"""tables of examples"""
SPLITS = ("train", "dev", "test")
PARTS = ("pairs", "heldout")
"""tables of pairs"""
MIN_PREFIX = 6
_TITLES = ("question", "title", "component", "family")


def tables(ledger: Ledger) -> list[tuple[str, str, str]]:
    """(what the rows are, job, file) of each table; the first that knows an id says what it is."""
    return [
        *(("task", "tasks", f"{split}.parquet") for split in SPLITS),
        *(("example", job, f"{name}.parquet") for job in _sft(ledger) for name in BRANCHES),
        *(("pair", job, f"{name}.parquet") for job in _pairs(ledger) for name in PARTS),
    ]


def mixes(ledger: Ledger) -> list[str]:
    """The jobs that make mixes and have a record, in flow order."""
    return [name for one in datasets.MIXES for name in datasets.jobs(ledger, (one,))]


def later(ledger: Ledger) -> list[str]:
    """The mixes that may leave a document out without its being lost: other stages have it."""
    return datasets.jobs(ledger, (datasets.MIDTRAIN_DATA, datasets.LONGCONTEXT_DATA))


def find_made(outputs: Outputs, text: str) -> list[Match]:
    """Tasks, examples, pairs and made documents whose id is `text` or begins with it.

    A question in the very words of a task finds the task.
    """
    exact: dict[str, Match] = {}
    near: dict[str, Match] = {}
    made = [("made document", job, "documents.parquet") for job in mixes(outputs.ledger)]
    for match in forks.conversations(outputs, text) if len(text) >= MIN_PREFIX else ():
        (exact if match.id == text else near).setdefault(str(match.id), match)
    for kind, job, file in (*tables(outputs.ledger), *made):
        begins = len(text) >= MIN_PREFIX
        rows = (outputs.begins if begins else outputs.find)(job, file, "id", text)
        if kind == "task":
            rows = rows + outputs.find(job, file, "question", text)
        for row in rows:
            if kind == "made document" and not row.get("generator"):
                continue  # a document of the crawl that was chosen for the mix
            id = row["id"]
            title = next((str(row[c]) for c in _TITLES if row.get(c)), "")
            how = "id" if id.startswith(text) else "question"
            match = Match(id, f"{job}/{file}", title, how, kind=kind)
            (exact if id == text or how == "question" else near).setdefault(id, match)
    found = exact or near
    return [found[id] for id in sorted(found)]


def journey_of_made(outputs: Outputs, match: Match) -> list[Stop]:
    """Where a task, an example, a pair or a made document was used, in flow order."""
    id = str(match.id)
    if match.kind == "task":
        return [*_task(outputs, id), *_uses(outputs, id)]
    if match.kind == "made document":
        return _documents(outputs, id)
    if match.kind == "conversation":
        return [*forks.chatted(outputs, id), *_examples(outputs, id)]
    stops = []
    for job, files in _parts(outputs.ledger):
        for name in files:
            facts = _facts(outputs, job, f"{name}.parquet", id)
            if not facts:
                continue
            task = facts[0].get("task")
            if task:
                origin = forks.chatted(outputs, str(task)) or _task(outputs, str(task))
                stops += [stop for stop in origin if stop not in stops]
            outcome: Outcome = "held out" if name == "heldout" else "kept"
            stops.append(Stop(job, outcome, {"table": name, **facts[0]}))
    return stops


def _task(outputs: Outputs, id: str) -> list[Stop]:
    columns = ["family", "domain", "question", "answer", "verifier"]
    for split in SPLITS:
        rows = outputs.find("tasks", f"{split}.parquet", "id", id, columns)
        if rows:
            outcome: Outcome = "kept" if split == "train" else "held out"
            return [Stop("tasks", outcome, {"split": split, **_present(rows[0])})]
    return [Stop("tasks", "unknown", {"task": id})]


def _uses(outputs: Outputs, id: str) -> list[Stop]:
    """Examples, pairs, and the difficulty filter of a task."""
    stops = [*_documents(outputs, id), *_examples(outputs, id)]
    for job in difficulties(outputs.ledger):
        columns = ["passes", "samples", "kept"]
        for row in outputs.find(job, "prompts.parquet", "task", id, columns):
            if row.pop("kept", True):
                stops.append(Stop(job, "kept", row))
            else:
                why = _gone(outputs, job, id)
                facts = why[0].facts if why else {"reason": "passed too often or never"}
                stops.append(Stop(job, "dropped", {**row, **facts}))
    return stops


def _sft(ledger: Ledger) -> list[str]:
    """The jobs that make examples: the flow's, and those of forks."""
    return datasets.jobs(ledger, datasets.EXAMPLES)


def _pairs(ledger: Ledger) -> list[str]:
    return datasets.jobs(ledger, datasets.PAIRS)


def difficulties(ledger: Ledger) -> list[str]:
    """The jobs that filter prompts."""
    return datasets.jobs(ledger, datasets.PROMPTS)


def _parts(ledger: Ledger) -> list[tuple[str, tuple[str, ...]]]:
    """(job, its tables) of examples and pairs."""
    return [
        *((job, BRANCHES) for job in _sft(ledger)),
        *((job, PARTS) for job in _pairs(ledger)),
    ]


def _examples(outputs: Outputs, task: str) -> list[Stop]:
    """Examples and pairs of a task or conversation."""
    stops: list[Stop] = []
    brought = datasets.jobs(outputs.ledger, (datasets.FORKSFT,))
    for job, files in _parts(outputs.ledger):
        for name in files:
            rows = outputs.find(job, f"{name}.parquet", "task", task, ["id"])
            if rows:
                ids = [row["id"] for row in rows]
                outcome: Outcome = "held out" if name == "heldout" else "kept"
                stops.append(Stop(job, outcome, {"table": name, "ids": ids}))
        if job not in brought:
            stops += _gone(outputs, job, task)
    return stops


def _gone(outputs: Outputs, job: str, id: str) -> list[Stop]:
    """What a step dropped of a task, by reason."""
    columns = ["reason", "value", "threshold", "detail"]
    rows = outputs.find(job, "drops.parquet", "id", id, columns)
    return [Stop(job, "dropped", facts) for facts in _distinct(rows)]


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows, each once; several that are equal with their number as `times`."""
    found: dict[str, dict[str, Any]] = {}
    for row in map(_present, rows):
        kept = found.setdefault(repr(sorted(row.items())), row | {"times": 0})
        kept["times"] += 1
    for row in found.values():
        if row["times"] == 1:
            del row["times"]
    return list(found.values())


def _documents(outputs: Outputs, id: str) -> list[Stop]:
    """What midtraining and long context took of a document or task, or made of it, by component."""
    stops = []
    columns = ["id", "component", "source", "generator", "licence", "parent"]
    optional = later(outputs.ledger)
    for job in mixes(outputs.ledger):
        by: dict[str, list[dict[str, Any]]] = {}
        for row in _offspring(outputs, job, id, columns):
            by.setdefault(str(row.get("component", "")), []).append(row)
        for component, rows in sorted(by.items()):
            if len(rows) == 1 and rows[0]["id"] == id:
                facts = {k: v for k, v in rows[0].items() if k != "id"}
            else:
                facts = {
                    "component": component,
                    "documents": len(rows),
                    "ids": [r["id"] for r in rows],
                }
            stops.append(Stop(job, "kept", _present(facts)))
        stops += [replace(stop, later=job in optional) for stop in _gone(outputs, job, id)]
    return stops


def _offspring(outputs: Outputs, job: str, id: str, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a mix that are the document, or have it as parent; sorted by id."""
    found = {
        str(row["id"]): row
        for column in ("id", "parent")
        for row in outputs.find(job, "documents.parquet", column, id, columns)
    }
    return [found[key] for key in sorted(found)]


def family(outputs: Outputs, job: str, id: str) -> list[str]:
    """The ids under which a packed stream of `job` may hold what `id` names: its own and its offspring's."""
    mixed = unmasked(job) in {
        record.step for record in datasets.made(outputs.ledger, datasets.MIXES)
    }
    ids = [row["id"] for row in _offspring(outputs, job, id, ["id"])] if mixed else []
    return list(dict.fromkeys([id, *ids]))


def later_mixes(outputs: Outputs, id: str) -> list[Stop]:
    """What midtraining and long context took of a crawled document, and made of it."""
    return _documents(outputs, id)


def evaluations(outputs: Outputs, id: str) -> list[dict[str, Any]]:
    """Scores of an item (a document, task, pair or needle) by checkpoint and probe."""
    found = []
    for record in outputs.ledger.records:
        if not record.step.startswith("evaluate"):
            continue
        columns = ["probe", "sample", "value"]
        for row in outputs.find(record.name, "items.parquet", "item", id, columns):
            found.append({"checkpoint": record.instance, **row})
    return found


def _facts(outputs: Outputs, job: str, file: str, id: str) -> list[dict[str, Any]]:
    columns = [
        "task", "family", "teacher", "source", "licence", "seed", "chosen_text", "rejected_text",
        "chosen_score", "rejected_score",
    ]  # fmt: skip
    return [_present(row) for row in outputs.find(job, file, "id", id, columns)]


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}
