"""Documents that were taken down: data sets of training in which their text is masked."""

from __future__ import annotations

from regrow.ask.trace.stop import Stop
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record

MASKED = "_masked"
"""end of the name of a step that masks a data set"""
TAKEN_DOWN = "takedown"
"""the reason of a drop and of a masked slot"""
TABLE = "masked.parquet"
"""its slots: instance, id, document, start, end, tokens"""


def masks(outputs: Outputs) -> list[Record]:
    """The records of steps that mask."""
    return [record for record in outputs.ledger.records if record.step.endswith(MASKED)]


def unmasked(job: str) -> str:
    """The step whose data set a job holds, masked or not: `midtrain_data` of `midtrain_data_masked.name`."""
    return job.partition(".")[0].removesuffix(MASKED)


def stops(outputs: Outputs, id: str) -> list[Stop]:
    """One stop per data set in which a document is masked."""
    found = []
    for record in masks(outputs):
        rows = outputs.find(record.name, TABLE, "document", id)
        slots = [row for row in rows if not row.get("pack")]
        if rows:
            tokens = sum(row["tokens"] for row in slots)
            facts = {"reason": TAKEN_DOWN, "slots": len(slots), "tokens": tokens}
            found.append(Stop(record.name, "dropped", facts))
    return found


def withdrawn(outputs: Outputs, id: str) -> Stop | None:
    """The drop of a takedown behind the text extraction; None where there is none."""
    for record in outputs.ledger.of_step("withdraw"):
        columns = ("reason", "value", "threshold", "detail")
        for row in outputs.find(record.name, "drops.parquet", "id", id, columns):
            facts = {name: value for name, value in row.items() if value not in (None, "")}
            return Stop(record.name, "dropped", facts)
    return None


def is_mask(stop: Stop) -> bool:
    """Whether a stop says that a document is masked in a data set."""
    return stop.facts.get("reason") == TAKEN_DOWN and f"{MASKED}." in stop.step
