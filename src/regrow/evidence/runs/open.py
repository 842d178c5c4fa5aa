"""The run that ends in a checkpoint.

What a kind of run needs is loaded when one is opened: a question about packs waits for no other.
"""

from __future__ import annotations

import importlib

from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.runs.run import Run


def _reader(record: Record) -> type[Run] | None:
    """What reads the runs of a record's kind; None where it trains on no data."""
    if record.kind is None or not record.kind.run:
        return None
    module, _, name = record.kind.run.partition(":")
    found: type[Run] = getattr(importlib.import_module(module), name)
    return found


def open_run(outputs: Outputs, checkpoint: Record) -> Run:
    """What the stage of `checkpoint` has seen up to it.

    Raises:
        Unanswerable: no checkpoint, one that no data made (a soup), or its data are not on disk.
    """
    if not checkpoint.makes_checkpoint:
        raise Unanswerable(
            f"{checkpoint.name} is not a training checkpoint: name one, for example "
            "`pretrain.000120`, or a stage, `sft`, for its last."
        )
    reader = _reader(checkpoint)
    if reader is None:
        names = [
            record.name for record in outputs.ledger.parents(checkpoint) if record.makes_checkpoint
        ]
        raise Unanswerable(
            f"{checkpoint.name} was made of weights, not trained on data: ask about "
            f"{' or '.join(names)}."
        )
    return reader(outputs, checkpoint)


def last_runs(outputs: Outputs) -> list[Run]:
    """The longest run of every stage whose data are on disk, in the order of training."""
    found = []
    ledger = outputs.ledger
    for stage in dict.fromkeys(record.step for record in ledger.checkpoints()):
        try:
            found.append(open_run(outputs, ledger.checkpoints(stage)[-1]))
        except Unanswerable:
            continue
    return found
