"""Numbers that training cannot go on from: they stop the run, with step, tensor and cause.

A step whose loss or gradient is not finite is skipped (`skip`). That is right for one odd batch, but
weights that are lost stay lost: every later step would be skipped, and the run would end well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from regrow.learn.train.metrics import Row
from regrow.numerics.torch import optim

LIMIT = 2.0**60
"""of a weight: above it, sums of squares no longer fit into float32"""
LARGE = 2.0**20
"""a weight above this is the likely cause of a loss or gradient that is not finite"""
PATIENCE = 3
"""steps in a row without a finite loss and gradient that end a run"""


def describe(value: float) -> str:
    """What to call a tensor's largest absolute value."""
    if math.isnan(value):
        return "NaN"
    return "infinity" if math.isinf(value) else f"values up to {value:.3g}"


def unsound(tensors: Mapping[str, Tensor], limit: float = math.inf) -> tuple[str, float] | None:
    """The first tensor that has NaN, infinity or more than `limit`, and its largest value."""
    for name, tensor in tensors.items():
        most = optim.largest([tensor])
        if not (math.isfinite(most) and most <= limit):
            return name, most
    return None


def finite(row: Row) -> bool:
    """Whether the loss and the gradient norm of a step are numbers."""
    return math.isfinite(row.loss) and math.isfinite(row.grad_norm)


def after_update(
    step: int, rate: float, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor]
) -> None:
    """Return if weights and optimizer state can be used after the update of `step`.

    Raises:
        FloatingPointError: they cannot. The gradient was finite, so the update is at fault.
    """
    found = unsound(weights, LIMIT) or unsound(moments)
    if found:
        name, most = found
        raise FloatingPointError(
            f"step {step}: {name} holds {describe(most)} after the update. Weights and gradient were "
            f"finite before it, so the update overflowed: lower optimizer.learning_rate ({rate:.3g} at "
            "this step), or look at optimizer.eps, weight_decay and clip"
        )


def after_step(
    row: Row,
    in_a_row: int,
    weights: Mapping[str, Tensor],
    gradient: tuple[str, float] | None,
) -> None:
    """Judge a step that had no finite loss or gradient, the last of `in_a_row` such steps.

    `gradient`: the first weight whose gradient is not finite, and its largest value.

    Raises:
        FloatingPointError: a weight has grown too large, or it was the last step of `PATIENCE`.
    """
    what = f"step {row.step}: loss {row.loss:.6g}, gradient norm {row.grad_norm:.6g}"
    if gradient:
        what += f" (first in the gradient of {gradient[0]}: {describe(gradient[1])})"
    large = unsound(weights, LARGE)
    if large:
        raise FloatingPointError(
            f"{what}: {large[0]} has grown to {describe(large[1])}, so that the model overflows: "
            "lower optimizer.learning_rate"
        )
    if in_a_row >= PATIENCE:
        raise FloatingPointError(
            f"{what}: step {in_a_row} in a row without a finite loss and gradient, though all weights "
            "are finite: the model's activations or the objective overflow on this data. Lower "
            "optimizer.learning_rate, or look at the sequences of these steps"
        )
