"""`regrow order`: what a training step saw, and what a checkpoint saw in all."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.lineage.ledger import Ledger, Record
from regrow.lineage.runs.open import open_run
from regrow.lineage.runs.packs import Packs
from regrow.lineage.runs.run import Run
from regrow.lineage.shelf import Shelf


def order_of_step(ledger: Ledger, checkpoint: Record, step: int) -> dict[str, Any]:
    """What was in one training step, in the order of the batch, with what is known about it.

    Documents get url, title and component; examples, pairs and rollouts the question of their task.

    Raises:
        Unanswerable: not a checkpoint, the step is not part of it, or its data are not on disk.
    """
    shelf = Shelf(ledger)
    run = open_run(shelf, checkpoint)
    pieces = run.of_step(step)
    rows = _described(shelf, run, pieces)
    return {
        "checkpoint": checkpoint.name,
        "stage": run.stage,
        "step": step,
        "kind": run.kind,
        "sequences": run.batch,
        "sequence_length": run.pack.sequence_length if isinstance(run, Packs) else None,
        "tokens": sum(row["tokens"] for row in rows),
        run.kind: rows,
    }


def totals(ledger: Ledger, checkpoint: Record) -> dict[str, Any]:
    """What a checkpoint has seen in its stage: tokens, epochs, sums by column, the most seen.

    Raises:
        Unanswerable: not a checkpoint, or its data are not on disk.
    """
    shelf = Shelf(ledger)
    run = open_run(shelf, checkpoint)
    found = run.totals()
    by = found.pop("by")
    return {
        "checkpoint": checkpoint.name,
        "stage": run.stage,
        "began_from": [
            r.name
            for r in ledger.parents(checkpoint)
            if r.makes_checkpoint and r.step != checkpoint.step
        ],
        "kind": run.kind,
        "steps": run.last_step,
        "sequences": run.last_step * run.batch,
        **found,
        "most_seen": _described(shelf, run, found["most_seen"]),
        **{f"by_{column}": rows for column, rows in by.items()},
    }


def _described(shelf: Shelf, run: Run, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(run, Packs):
        about = documents(shelf, run.data, {row["id"] for row in rows})
        return [{**row, **about.get(row["id"], {})} for row in rows]
    about = tasks(shelf, {str(row.get("task") or row["id"]) for row in rows})
    return [{**about.get(str(row.get("task") or row["id"]), {}), **row} for row in rows]


def documents(shelf: Shelf, job: str, ids: set[str]) -> dict[str, dict[str, Any]]:
    """What is known about documents: url, title, and of a later mix its component and generator.

    A passage or a made text has the url of the document that it comes from, or the question of its task.
    """
    here = pl.col("id").is_in(sorted(ids))
    found: dict[str, dict[str, Any]] = {id: {} for id in ids}
    if job.partition(".")[0] not in ("pack", "pack_masked"):
        columns = ["id", "component", "generator", "source", "parent"]
        for row in shelf.rows(job, "documents.parquet", here, columns):
            found[row.pop("id")].update({name: value for name, value in row.items() if value})
    origin = {id: str(row.get("parent") or id) for id, row in found.items()}
    wanted = pl.col("id").is_in(sorted(set(origin.values())))
    about = {
        row.pop("id"): row
        for row in shelf.rows("text", "documents.parquet", wanted, ["id", "url", "title"])
    }
    about |= tasks(shelf, set(origin.values()) - about.keys())
    return {id: {**about.get(origin[id], {}), **row} for id, row in found.items()}


def tasks(shelf: Shelf, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Family, question and answer of tasks, by id."""
    here = pl.col("id").is_in(sorted(ids))
    columns = ["id", "family", "question", "answer"]
    return {
        row.pop("id"): row
        for split in ("train", "dev", "test")
        for row in shelf.rows("tasks", f"{split}.parquet", here, columns)
    }
