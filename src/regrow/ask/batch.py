"""`regrow batch`: what a training step saw, and what a checkpoint saw in all."""

from __future__ import annotations

from typing import Any

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs, picked
from regrow.evidence.record import Record
from regrow.evidence.runs.open import open_run
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.run import Run


def batch_of_step(ledger: Ledger, checkpoint: Record, step: int) -> dict[str, Any]:
    """What was in one training step, in the order of the batch, with what is known about it.

    Documents get url, title and component, those of a fork also their licence; examples, pairs and rollouts the question of their task.

    Raises:
        Unanswerable: not a checkpoint, the step is not part of it, or its data are not on disk.
    """
    outputs = Outputs(ledger)
    run = open_run(outputs, checkpoint)
    if isinstance(run, Packs):
        run = run.part(step)
    pieces = run.of_step(step)
    rows = _described(outputs, run, pieces)
    return {
        "checkpoint": checkpoint.name,
        "stage": run.stage,
        "step": step,
        "kind": run.kind,
        "sequences": run.batch,
        "sequence_length": run.sequence_length if isinstance(run, Packs) else None,
        "tokens": sum(row["tokens"] for row in rows),
        run.kind: rows,
    }


def totals(ledger: Ledger, checkpoint: Record) -> dict[str, Any]:
    """What a checkpoint has seen in its stage: tokens, epochs, sums by column, the most seen.

    Raises:
        Unanswerable: not a checkpoint, or its data are not on disk.
    """
    outputs = Outputs(ledger)
    run = open_run(outputs, checkpoint)
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
        "most_seen": _described(outputs, run, found["most_seen"]),
        **{f"by_{column}": rows for column, rows in by.items()},
    }


def _described(outputs: Outputs, run: Run, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(run, Packs):
        ids = {row["id"] for row in rows}
        about: dict[str, dict[str, Any]] = {}
        for job in run.jobs:
            found = documents(outputs, job, ids - about.keys())
            about |= {id: row for id, row in found.items() if row}
        return [{**row, **about.get(row["id"], {})} for row in rows]
    from regrow.ask.trace import forks

    named = {str(row.get("task") or row["id"]) for row in rows}
    about = forks.conversations_of(outputs, named)
    about |= tasks(outputs, named - about.keys())
    return [{**about.get(str(row.get("task") or row["id"]), {}), **row} for row in rows]


def documents(outputs: Outputs, job: str, ids: set[str]) -> dict[str, dict[str, Any]]:
    """What is known about documents: url, title, and of a later mix its component and generator.

    A passage or a made text has the url of the document that it comes from, or the question of its task.
    """
    columns = ("component", "generator", "source", "parent")
    found: dict[str, dict[str, Any]] = {id: {} for id in ids}
    if job.partition(".")[0] not in ("pack", "pack_masked"):
        for id, rows in outputs.find_all(job, "documents.parquet", "id", ids, columns).items():
            for row in rows:
                found[id].update({name: value for name, value in row.items() if value})
    origin = {id: str(row.get("parent") or id) for id, row in found.items()}
    origins = set(origin.values())
    about = _crawled(outputs, origins)
    about |= tasks(outputs, {id for id in origins if not about.get(id)})
    return {id: {**about.get(origin[id], {}), **row} for id, row in found.items()}


def _crawled(outputs: Outputs, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Url and title of those that are documents of the crawl or of a fork."""
    found = outputs.find_all(*outputs.documents, "id", ids, ("url", "title"))
    about = {id: rows[0] for id, rows in found.items() if rows}
    if len(about) < len(ids):
        # Few steps hold what a fork brought, and its module takes time to load.
        from regrow.ask.trace import forks

        for _, path in forks.tables(outputs):
            own = outputs.lookup.equals(path, "id", ids - about.keys())
            about |= {id: picked(r, ("url", "licence"))[0] for id, r in own.items() if r}
    return about


def tasks(outputs: Outputs, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Family, question and answer of tasks, by id."""
    columns = ("family", "question", "answer")
    found = (
        outputs.find_all("tasks", f"{split}.parquet", "id", ids, columns)
        for split in (("train", "dev", "test") if ids else ())
    )
    return {id: row for held in found for id, rows in held.items() for row in rows}
