"""The chapters of the page: a stage each that trains on data, with its controls on the same charts.

What a stage did and learned from is no text of this module: `chapters` takes it from the records, and what its curve
says from its kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


@dataclass(frozen=True)
class About:
    """A chapter."""

    stage: str
    record: Record
    """of its last checkpoint"""
    loss: str
    """how its curve is read; "": it shows nothing"""
    beside: tuple[str, ...] = ()
    """stages of further runs on the same chart"""
    title: str = ""
    """of its record"""
    what: str = ""
    """what was done, and what it learned from, by its record"""


def about(ledger: Ledger) -> list[About]:
    """The chapters, in the order of the flow."""
    found = []
    for stage, record in lasts(ledger).items():
        if record.kind is None or not record.kind.run or record.is_control:
            continue
        found.append(About(stage, record, record.kind.loss, tuple(controls(ledger, record))))
    return found


def lasts(ledger: Ledger) -> dict[str, Record]:
    """Stage -> its last checkpoint, without repetitions under other seeds, in the order of the flow."""
    return {r.step: r for r in ledger.checkpoints() if r.step == r.stage}


def controls(ledger: Ledger, record: Record) -> list[str]:
    """The stages that are controls of a checkpoint's: same function, begun from the same weights."""
    begun = record.parts["inputs"].get("base")
    return [
        stage
        for stage, other in lasts(ledger).items()
        if other.is_control
        and other.function == record.function
        and other.parts["inputs"].get("base") == begun
    ]


def averaged(ledger: Ledger, record: Record) -> str:
    """The soup that a checkpoint went into, "" where there is none."""
    for stage, other in lasts(ledger).items():
        made = {entry.get("record") for name, entry in other.inputs.items() if len(name) == 1}
        if record.file in made:
            return stage
    return ""
