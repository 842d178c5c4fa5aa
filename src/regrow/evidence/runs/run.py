"""A training run up to a checkpoint, whatever it trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record

if TYPE_CHECKING:
    import polars as pl


class Run:
    """What the run of one stage that ends in `checkpoint` has seen. Steps count from 1 per stage."""

    kind: ClassVar[str]
    """what a step is made of, in the plural: `documents`, `examples`, `pairs`, `rollouts`"""

    def __init__(self, outputs: Outputs, checkpoint: Record) -> None:
        self.outputs = outputs
        self.checkpoint = checkpoint
        assert checkpoint.trained is not None
        self.stage, self.last_step = checkpoint.trained
        self.block = block(checkpoint)
        self.batch = int(self.block["batch_sequences"])
        """sequences, examples, pairs or answers of a step"""

    def check(self, step: int) -> None:
        """Raises Unanswerable where the checkpoint has not seen that step."""
        if not 1 <= step <= self.last_step:
            raise Unanswerable(
                f"{self.checkpoint.name} has seen steps 1 to {self.last_step} of its stage, not {step}."
                if self.last_step
                else f"{self.checkpoint.name} is the initialisation: it has seen no step."
            )

    def of_step(self, step: int) -> list[dict[str, Any]]:
        """What step `step` was made of, in the order of the batch.

        Every row has row, id, tokens.

        Raises:
            Unanswerable: the checkpoint has not seen that step.
        """
        raise NotImplementedError

    def of(self, id: str) -> list[dict[str, Any]]:
        """Every time that training saw what `id` names, in order: step, tokens and more."""
        raise NotImplementedError

    def totals(self) -> dict[str, Any]:
        """What the checkpoint has seen in all: tokens, sums by column (`by`), the most seen."""
        raise NotImplementedError


def block(checkpoint: Record) -> dict[str, Any]:
    """The parameters of the stage that made a checkpoint."""
    for values in checkpoint.parts["params"].values():
        if isinstance(values, dict) and "batch_sequences" in values:
            return values
    raise Unanswerable(f"{checkpoint.file} names no parameters of training.")


def data_job(checkpoint: Record, outputs: Outputs) -> str:
    """The name of the job whose output a checkpoint was trained on."""
    for name in ("data", "pack"):
        entry = checkpoint.inputs.get(name)
        if entry:
            return str(entry["record"]).removeprefix("records/").removesuffix(".json")
    raise Unanswerable(f"{checkpoint.file} names no data.")


def sums(frame: pl.DataFrame, column: str, *more: pl.Expr) -> list[dict[str, Any]]:
    """Rows by the values of a column: number, tokens and `more`, the largest first."""
    import polars as pl

    return (
        frame.group_by(column)
        .agg(pl.len().alias("count"), pl.col("tokens").sum(), *more)
        .sort(["tokens", column], descending=[True, False], nulls_last=True)
        .to_dicts()
    )


Open = Callable[[Outputs, Record], Run]
