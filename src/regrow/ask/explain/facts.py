"""What is known about a document, example, pair or rollout: where it comes from, under which licence."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.ask.batch import documents, tasks
from regrow.ask.explain.dataset import DataSet
from regrow.evidence.runs.examples import Table
from regrow.evidence.runs.packs import Packs

SHOWN = ("task", "family", "teacher", "licence", "source", "chosen_model", "rejected_model")


def facts(data: DataSet, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Per id what the tables say: url, title, source, licence, component, generator, question and more."""
    outputs = data.run.outputs
    if isinstance(data.run, Packs):
        found = documents(outputs, data.run.data, ids)
        left = set(ids)
        # What is in no table of the data set's own is of the crawl: of its packing, alone or joined to others.
        for job, table in ((data.run.data, "documents.parquet"), outputs.documents):
            here = pl.col("id").is_in(sorted(left))
            for row in outputs.rows(job, table, here, ["id", "source", "licence"]) if left else ():
                left.discard(row["id"])
                found[row.pop("id")].update({k: v for k, v in row.items() if v})
        return found
    if isinstance(data.run, Table):
        found = {}
        for run in data.runs:
            assert isinstance(run, Table)
            have = [c for c in SHOWN if c in run.rows.columns]
            frame = run.rows.filter(pl.col("id").is_in(sorted(ids))).select("id", *have)
            found |= {row.pop("id"): row for row in frame.to_dicts()}
        if data.kind == "pairs":
            for row in found.values():
                row["source"] = "the model's own answers"
    else:
        found = {id: {"task": id, "source": "the model's own answers"} for id in ids}
    about = tasks(outputs, {str(row["task"]) for row in found.values() if row.get("task")})
    for id in ids:
        row = found.setdefault(id, {})
        row.update(about.get(str(row.get("task")), {}))
        found[id] = {k: v for k, v in row.items() if v not in (None, "")}
    return found


def origins(data: DataSet) -> list[str]:
    """Per owner what it was made of: the document of a passage, the task of an example; else itself."""
    ids = data.owners.ids
    if isinstance(data.run, Packs):
        outputs, job = data.run.outputs, data.run.data
        rows = (
            outputs.rows(job, "documents.parquet", pl.lit(True), ["id", "parent"])
            if job != "pack"
            else []
        )
        parents = {row["id"]: row.get("parent") for row in rows}
    else:
        parents = {}
        for run in data.runs:
            if isinstance(run, Table) and "task" in run.rows.columns:
                parents |= dict(run.rows.select("id", "task").iter_rows())
    return [str(parents.get(id) or id) for id in ids]
