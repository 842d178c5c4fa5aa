"""Which runs of training a checkpoint is made of, down to the random weights."""

from __future__ import annotations

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def checkpoint_of(ledger: Ledger, record: Record) -> Record:
    """The checkpoint that a record is, or is about (a release, an evaluation).

    Raises:
        Unanswerable: it is about none, or that one has no record here.
    """
    if record.trained is None:
        raise Unanswerable(
            f"{record.name} is no checkpoint: name one, `rlvr-000080`, or a stage, `rlvr`, for its last."
        )
    stage, step = record.trained
    found = ledger.by_name.get(f"{stage}.{step:06d}")
    if found is None:
        raise Unanswerable(
            f"there is no record of {stage}.{step:06d}: `git pull` the run's records."
        )
    return found


def trained(ledger: Ledger, checkpoint: Record) -> list[Record]:
    """The last checkpoint of every run of training that `checkpoint` holds, in the order of training.

    A soup that kept one of its two runs holds that one alone.

    Raises:
        Unanswerable: the record of a checkpoint in between is not here.
    """
    found: dict[str, Record] = {}

    def visit(record: Record) -> None:
        kept = record.counts.get("kept")
        for name, entry in record.inputs.items():
            if len(str(kept)) == 1 and name != kept:
                continue
            file = str(entry.get("record", ""))
            parent = ledger.by_file.get(file)
            if parent is None:
                if name == "base" or len(name) == 1:
                    raise Unanswerable(f"{record.name} began from {file}, which is not here.")
            elif parent.makes_checkpoint and parent.step != record.step:
                visit(parent)
        if "data" in record.inputs or "pack" in record.inputs:
            found.setdefault(record.name, record)

    visit(checkpoint)
    return list(found.values())
