"""Optimizer steps, the gradient norm and sums of gradients, in place on float32 tensors."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence

from torch import Tensor

from regrow.numerics.torch.kernels import ShapeError, dense, native

SQUARE_BITS = 50
"""fractional bits of a scaled square in `squares`"""


def _same(*tensors: Tensor) -> None:
    shape = tensors[0].shape
    for x in tensors:
        if x.shape != shape or not x.is_contiguous():
            raise ShapeError("weight, gradient and state need one shape and contiguous memory")
        dense(x)


def _matrix(x: Tensor) -> None:
    if x.dim() != 2:
        raise ShapeError(f"Muon steps are for matrices, not for {tuple(x.shape)}")


def adamw_step(
    p: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    *,
    step: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    wd: float,
) -> None:
    """One AdamW step on p, m, v (Loshchilov and Hutter, arXiv 1711.05101); `step` counts from 1.

    Raises:
        ShapeError, TypeError: tensors of other shapes, not contiguous, or not float32 on the CPU.
        ValueError: a step below 1.
    """
    _same(p, g, m, v)
    if step < 1:
        raise ValueError(f"step {step}: steps count from 1")
    native().adamw(
        *(p.numel(), p.data_ptr(), g.data_ptr(), m.data_ptr(), v.data_ptr()),
        *(lr, betas[0], betas[1], eps, wd, step),
    )


def muon_step(
    p: Tensor, g: Tensor, m: Tensor, *, lr: float, momentum: float, wd: float, iterations: int = 5
) -> None:
    """One Muon step with Nesterov momentum on the matrix p and its momentum m.

    Sources: Jordan et al., 2024 (Newton-Schulz); Liu et al., arXiv 2502.16982, section 2.2 (the
    step is 0.2 sqrt(max(rows, columns)) lr, so that AdamW's learning rates fit).

    Raises:
        ShapeError, TypeError: no matrices, other shapes, not contiguous, or not float32 on the CPU.
    """
    _same(p, g, m)
    _matrix(p)
    native().muon(
        *(p.shape[0], p.shape[1], p.data_ptr(), g.data_ptr(), m.data_ptr()),
        *(lr, momentum, wd, iterations),
    )


def orthogonalise(x: Tensor, iterations: int = 5) -> Tensor:
    """Newton-Schulz on the matrix x: roughly its nearest semi-orthogonal matrix."""
    x = dense(x)
    _matrix(x)
    y = x.clone()
    native().orthogonalise(x.shape[0], x.shape[1], x.data_ptr(), y.data_ptr(), iterations)
    return y


def largest(tensors: Sequence[Tensor]) -> float:
    """The largest absolute value of all elements (0 of none); NaN where one is NaN."""
    values = []
    for x in tensors:
        held = dense(x)  # a copy lives until its kernel has read it
        values.append(native().largest(held.numel(), held.data_ptr()))
    return max(values, key=lambda v: math.inf if math.isnan(v) else v, default=0.0)


def exponent_above(value: float) -> int:
    """The least e with value <= 2**e."""
    mantissa, exponent = math.frexp(value)
    return exponent - (mantissa == 0.5)


def squares(tensors: Sequence[Tensor], exponent: int) -> int:
    """The sum of (x 2^-exponent)^2, each rounded to 50 fractional bits, times 2^50: an integer.

    So it does not depend on the order or on how the elements are sharded. No |x| may exceed
    2^exponent; relative error of the norm below 2^-51 elements / (largest share of one).
    """
    total = 0
    for x in tensors:
        high, low = ctypes.c_int64(), ctypes.c_uint64()
        held = dense(x)
        native().squares(
            *(held.numel(), held.data_ptr(), math.ldexp(1.0, -exponent)),
            *(ctypes.byref(high), ctypes.byref(low)),
        )
        total += (high.value << 64) + low.value
    return total


def root(total: int, exponent: int) -> float:
    """The norm that belongs to a sum of `squares`: correctly rounded division and root."""
    return math.ldexp(math.sqrt(total / (1 << SQUARE_BITS)), exponent)


def grad_norm(tensors: Sequence[Tensor]) -> float:
    """The Euclidean norm over all elements; inf or NaN where an element is."""
    most = largest(tensors)
    if most == 0.0 or not math.isfinite(most):
        return most
    exponent = exponent_above(most)
    return root(squares(tensors, exponent), exponent)


def tree_add(left: Sequence[Tensor], right: Sequence[Tensor]) -> None:
    """left += right, pair by pair: one correctly rounded addition per element."""
    for a, b in zip(left, right, strict=True):
        a.add_(b)


def scale(tensors: Sequence[Tensor], factor: float) -> None:
    """Multiply by the float32 nearest to `factor`: one rounding per element."""
    for x in tensors:
        x.mul_(factor)
