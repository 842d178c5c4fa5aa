"""The norm of a gradient, the same bits in any order of summation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

FRACTION_BITS = 36


def global_norm(tensors: Sequence[Tensor]) -> float:
    """The Euclidean norm of all elements, as float64.

    Elements are scaled by the power of two above the largest of them, squared in float64
    (exact for float32), rounded to 36 fractional bits and added as 64-bit integers; integer
    sums do not depend on order, threads or shards. Good to 2**26 elements per tensor and
    2**63 in all; relative error below 1e-9 * sqrt(elements).
    """
    largest = max((float(t.abs().max()) for t in tensors), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    exponent = math.frexp(largest)[1]
    total = 0
    for tensor in tensors:
        scaled = tensor.detach().double() * 2.0**-exponent
        squares = scaled * scaled * float(1 << FRACTION_BITS)
        total += int(squares.round().to(torch.int64).sum())
    return math.ldexp(math.sqrt(math.ldexp(total, -FRACTION_BITS)), exponent)
