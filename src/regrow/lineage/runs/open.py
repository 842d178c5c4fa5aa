"""The run that ends in a checkpoint."""

from __future__ import annotations

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record
from regrow.lineage.runs.examples import Examples, Pairs
from regrow.lineage.runs.packs import Packs
from regrow.lineage.runs.rollouts import Rollouts
from regrow.lineage.runs.run import Run
from regrow.lineage.shelf import Shelf

_KINDS: dict[str, type[Run]] = {
    "pretrain": Packs,
    "midtrain": Packs,
    "midtrain_b": Packs,
    "longcontext": Packs,
    "longcontext_control": Packs,
    "sft": Examples,
    "sft_instruct": Examples,
    "dpo": Pairs,
    "dpo_delta": Pairs,
    "rlvr": Rollouts,
    "rlzero": Rollouts,
    "rlzero_random": Rollouts,
}


def open_run(shelf: Shelf, checkpoint: Record) -> Run:
    """What the stage of `checkpoint` has seen up to it.

    Raises:
        Unanswerable: no checkpoint, one that no data made (a soup), or its data are not on disk.
    """
    kind = _KINDS.get(checkpoint.step.partition("_seed")[0])
    if not checkpoint.makes_checkpoint:
        raise Unanswerable(
            f"{checkpoint.name} is not a training checkpoint: name one, for example "
            "`pretrain.000120`, or a stage, `sft`, for its last."
        )
    if kind is None:
        names = [
            record.name for record in shelf.ledger.parents(checkpoint) if record.makes_checkpoint
        ]
        raise Unanswerable(
            f"{checkpoint.name} was made of weights, not trained on data: ask about "
            f"{' or '.join(names)}."
        )
    return kind(shelf, checkpoint)


def last_runs(shelf: Shelf) -> list[Run]:
    """The longest run of every stage whose data are on disk, in the order of training."""
    found = []
    ledger = shelf.ledger
    for stage in dict.fromkeys(record.step for record in ledger.checkpoints()):
        try:
            found.append(open_run(shelf, ledger.checkpoints(stage)[-1]))
        except Unanswerable:
            continue
    return found
