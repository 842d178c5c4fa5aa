"""What the flow made itself: tasks, examples, pairs, synthetic documents; found and followed by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.stop import Outcome, Stop

SPLITS = ("train", "dev", "test")
MIXES = ("midmix", "longmix")
"""steps whose documents are passages of crawled ones, worked tasks, and texts made of both"""
TAKEN_DOWN = "takedown"
"""the reason of a drop (`regrow.takedown.withdraw`) and of a masked slot"""
MIN_PREFIX = 6
_TABLES = (
    *(("task", "tasks", f"{split}.parquet") for split in SPLITS),
    ("example", "sftdata", "think.parquet"),
    ("example", "sftdata", "instruct.parquet"),
    ("pair", "pairs", "pairs.parquet"),
    ("pair", "pairs", "heldout.parquet"),
    ("made document", "midmix", "documents.parquet"),
    ("made document", "longmix", "documents.parquet"),
)
"""what the rows of a table are; the first that knows an id says what it is"""
_TITLES = ("question", "title", "component", "family")


@dataclass(frozen=True)
class Match:
    """A document that fits the query."""

    id: str | None
    """None: fetched or refused by the crawl, but never a document"""
    url: str
    title: str = ""
    how: str = ""
    """`id`, `url`, `url contains`, `text`"""
    line: str = ""
    """the line that fits, of a search by text"""
    kind: str = "document"
    """or `task`, `example`, `pair`, `made document` (of midtraining or long context)"""


def find_made(shelf: Shelf, text: str) -> list[Match]:
    """Tasks, examples, pairs and made documents whose id is `text` or begins with it.

    A question in the very words of a task finds the task.
    """
    exact: dict[str, Match] = {}
    near: dict[str, Match] = {}
    for kind, job, file in _TABLES:
        table = shelf.table(job, file)
        if table is None:
            continue
        have = table.collect_schema().names()
        fits = (
            pl.col("id").str.starts_with(text) if len(text) >= MIN_PREFIX else pl.col("id") == text
        )
        if "question" in have:
            fits = fits | (pl.col("question") == text)
        columns = [c for c in ("id", "url", *_TITLES, "generator") if c in have]
        for row in table.filter(fits).select(columns).collect().to_dicts():
            if kind == "made document" and not row.get("generator"):
                continue  # a document of the crawl that was chosen for the mix
            id = row["id"]
            title = next((str(row[c]) for c in _TITLES if row.get(c)), "")
            how = "id" if id.startswith(text) else "question"
            match = Match(id, f"{job}/{file}", title, how, kind=kind)
            (exact if id == text or how == "question" else near).setdefault(id, match)
    found = exact or near
    return [found[id] for id in sorted(found)]


def journey_of_made(shelf: Shelf, match: Match) -> list[Stop]:
    """Where a task, an example, a pair or a made document was used, in flow order."""
    id = str(match.id)
    if match.kind == "task":
        return [*_task(shelf, id), *_uses(shelf, id)]
    if match.kind == "made document":
        return _documents(shelf, id)
    stops = []
    for job, files in (("sftdata", ("think", "instruct")), ("pairs", ("pairs", "heldout"))):
        for name in files:
            facts = _facts(shelf, job, f"{name}.parquet", pl.col("id") == id)
            if not facts:
                continue
            task = facts[0].get("task")
            if task:
                stops += _task(shelf, str(task))
            outcome: Outcome = "held out" if name == "heldout" else "kept"
            stops.append(Stop(job, outcome, {"table": name, **facts[0]}))
    return stops


def _task(shelf: Shelf, id: str) -> list[Stop]:
    columns = ["family", "domain", "question", "answer", "verifier"]
    for split in SPLITS:
        rows = shelf.rows("tasks", f"{split}.parquet", pl.col("id") == id, columns)
        if rows:
            outcome: Outcome = "kept" if split == "train" else "held out"
            return [Stop("tasks", outcome, {"split": split, **_present(rows[0])})]
    return [Stop("tasks", "unknown", {"task": id})]


def _uses(shelf: Shelf, id: str) -> list[Stop]:
    """Examples, pairs, and the difficulty filter of a task."""
    stops = _documents(shelf, id)
    here = pl.col("task") == id
    for job, files in (("sftdata", ("think", "instruct")), ("pairs", ("pairs", "heldout"))):
        for name in files:
            rows = shelf.rows(job, f"{name}.parquet", here, ["id"])
            if rows:
                ids = [row["id"] for row in rows]
                outcome: Outcome = "held out" if name == "heldout" else "kept"
                stops.append(Stop(job, outcome, {"table": name, "ids": ids}))
    for job in ("difficulty", "difficulty_zero"):
        columns = ["passes", "samples", "kept"]
        for row in shelf.rows(job, "prompts.parquet", here, columns):
            kept = row.pop("kept", True)
            facts = row if kept else {**row, "reason": "passed too often"}
            stops.append(Stop(job, "kept" if kept else "dropped", facts))
    return stops


def _documents(shelf: Shelf, id: str) -> list[Stop]:
    """What midtraining and long context took of a document or task, or made of it, by component."""
    stops = []
    columns = ["id", "component", "source", "generator", "licence", "parent"]
    for job in MIXES:
        by: dict[str, list[dict[str, Any]]] = {}
        for row in _offspring(shelf, job, id, columns):
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
    return stops


def _offspring(shelf: Shelf, job: str, id: str, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a mix that are the document, or have it as parent; sorted by id."""
    table = shelf.table(job, "documents.parquet")
    if table is None:
        return []
    have = table.collect_schema().names()
    where = pl.col("id") == id
    if "parent" in have:
        where = where | (pl.col("parent") == id)
    found = table.filter(where).select([c for c in columns if c in have]).sort("id")
    return found.collect().to_dicts()


def family(shelf: Shelf, job: str, id: str) -> list[str]:
    """The ids under which a packed stream of `job` may hold what `id` names: its own and its offspring's."""
    ids = [row["id"] for row in _offspring(shelf, job, id, ["id"])]
    return list(dict.fromkeys([id, *ids]))


def later_mixes(shelf: Shelf, id: str) -> list[Stop]:
    """What midtraining and long context took of a crawled document, and made of it; and what was masked."""
    return [*_documents(shelf, id), *masked(shelf, id)]


def masked(shelf: Shelf, id: str) -> list[Stop]:
    """The slots of a document that a takedown has masked, by data set (`regrow.takedown.mask`)."""
    stops = []
    for record in shelf.ledger.records:
        if not record.step.endswith("_masked"):
            continue
        here = (pl.col("document") == id) & (pl.col("pack") == "")
        rows = shelf.rows(record.name, "masked.parquet", here, ["tokens"])
        if rows:
            tokens = sum(row["tokens"] for row in rows)
            facts = {"reason": TAKEN_DOWN, "slots": len(rows), "tokens": tokens}
            stops.append(Stop(record.name, "dropped", facts))
    return stops


def evaluations(shelf: Shelf, id: str) -> list[dict[str, Any]]:
    """Scores of an item (a document, task, pair or needle) by checkpoint and probe."""
    found = []
    for record in shelf.ledger.records:
        if not record.step.startswith("evaluate"):
            continue
        columns = ["probe", "sample", "value"]
        for row in shelf.rows(record.name, "items.parquet", pl.col("item") == id, columns):
            found.append({"checkpoint": record.instance, **row})
    return found


def _facts(shelf: Shelf, job: str, file: str, where: pl.Expr) -> list[dict[str, Any]]:
    columns = [
        "task", "family", "teacher", "source", "licence", "seed", "chosen_text", "rejected_text",
        "chosen_score", "rejected_score",
    ]  # fmt: skip
    return [_present(row) for row in shelf.rows(job, file, where, columns)]


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}
