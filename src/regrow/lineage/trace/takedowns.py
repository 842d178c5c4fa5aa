"""Documents that were taken down: data sets of training in which their text is masked."""

from __future__ import annotations

from regrow.lineage.ledger import Record
from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.stop import Stop

MASKED = "_masked"
"""end of the name of a step that masks a data set"""
TABLE = "masked.parquet"
"""its slots: instance, id, document, start, end, tokens"""


def masks(shelf: Shelf) -> list[Record]:
    """The records of steps that mask."""
    return [record for record in shelf.ledger.records if record.step.endswith(MASKED)]


def unmasked(job: str) -> str:
    """The step whose data set a job holds, masked or not: `midmix` of `midmix_masked.name`."""
    return job.partition(".")[0].removesuffix(MASKED)


def stops(shelf: Shelf, id: str) -> list[Stop]:
    """One stop per data set in which a document is masked."""
    found = []
    for record in masks(shelf):
        rows = shelf.find(record.name, TABLE, "document", id)
        slots = [row for row in rows if not row.get("pack")]
        if rows:
            tokens = sum(row["tokens"] for row in slots)
            facts = {"reason": "takedown", "detail": record.instance, "slots": len(slots)}
            found.append(Stop(record.name, "dropped", {**facts, "tokens": tokens}))
    return found
