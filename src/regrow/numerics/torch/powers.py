"""Powers under fma32, and how torch's operators of that name lead to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.library import get_kernel

from regrow.numerics.torch import fits
from regrow.numerics.torch.kernels import dense, native, unary


def power(x: Tensor, y: Tensor) -> Tensor:
    """x ** y, element by element, in double precision and rounded once; shapes are broadcast."""
    x, y = torch.broadcast_tensors(x, y)
    x, y = dense(x), dense(y)
    out = torch.empty_like(x)
    native().pow(x.numel(), x.data_ptr(), 1, y.data_ptr(), 1, out.data_ptr())
    return out


def power_scalar(x: Tensor, exponent: float) -> Tensor:
    """x ** exponent; by products, divisions and roots where the exponent is simple, as torch does."""
    simple: dict[float, Callable[[Tensor], Tensor]] = {
        0: torch.ones_like,
        1: torch.clone,
        2: lambda t: t * t,
        3: lambda t: t * t * t,
        -1: lambda t: 1.0 / t,
        0.5: lambda t: unary("sqrt", t),
        -0.5: lambda t: unary("rsqrt", t),
    }
    if exponent in simple:
        return simple[exponent](x)
    return power(x, torch.tensor(float(exponent)))


def scalar_power(base: float, x: Tensor) -> Tensor:
    """base ** x."""
    return power(torch.tensor(float(base)), x)


def overrides() -> dict[str, Callable[..., Any]]:
    """In-place powers, and those of a number, which torch hands on to another operator of these."""
    theirs = get_kernel("aten::pow_.Scalar", "CPU")
    others = get_kernel("aten::pow_.Tensor", "CPU")

    def in_place(keys: Any, x: Tensor, exponent: Any) -> Any:
        if fits.ours("pow.Tensor_Scalar", (x, exponent), {}):
            return x.copy_(power_scalar(x, exponent))
        return theirs.call_boxed(keys, x, exponent)

    def in_place_tensor(keys: Any, x: Tensor, exponent: Tensor) -> Any:
        if fits.ours("pow.Tensor_Tensor", (x, exponent), {}):
            return x.copy_(power(x, exponent))
        return others.call_boxed(keys, x, exponent)

    def of_number(keys: Any, base: Any, x: Tensor, *, out: Tensor | None = None) -> Any:
        if fits.ours("pow.Scalar", (base, x), {}) and (out is None or out.dtype is torch.float32):
            y = scalar_power(base, x)
            return y if out is None else out.resize_(y.shape).copy_(y)
        # As the same operator on tensors: the number loses its mark as one on the way through Python.
        base = torch.scalar_tensor(base, dtype=torch.result_type(base, x))
        return torch.pow(base, x) if out is None else torch.pow(base, x, out=out)

    return {
        "pow_.Scalar": in_place,
        "pow_.Tensor": in_place_tensor,
        "pow.Scalar": of_number,
        "pow.Scalar_out": of_number,
    }
