"""Which calls of torch's operators have arguments that fit each other.

A call that does not goes on to torch's own kernel, which raises torch's own error: so after
`activate()` a mistake ends as it does in plain torch. Conditions are exact: what torch computes
fits, and what it refuses does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Condition = Callable[..., bool]


def _mm(a: Tensor, b: Tensor, **_: Any) -> bool:
    return a.dim() == 2 and b.dim() == 2 and a.shape[1] == b.shape[0]


def _bmm(a: Tensor, b: Tensor, **_: Any) -> bool:
    if a.dim() != 3 or b.dim() != 3:
        return False
    (batch, _m, k), (other, rows, _n) = a.shape, b.shape
    return batch == other and k == rows


def _mv(a: Tensor, x: Tensor, **_: Any) -> bool:
    return a.dim() == 2 and x.dim() == 1 and a.shape[1] == x.shape[0]


def _dot(a: Tensor, b: Tensor) -> bool:
    return a.dim() == 1 and b.dim() == 1 and a.shape == b.shape


def _expands(x: Tensor, *shape: int) -> bool:
    """Whether `x.expand(shape)` works."""
    own = x.shape
    return len(own) <= len(shape) and all(
        size in (1, want) for size, want in zip(reversed(own), reversed(shape), strict=False)
    )


def _addmm(bias: Tensor, a: Tensor, b: Tensor, **_: Any) -> bool:
    return _mm(a, b) and _expands(bias, a.shape[0], b.shape[1])


def _baddbmm(bias: Tensor, a: Tensor, b: Tensor, **_: Any) -> bool:
    return _bmm(a, b) and _expands(bias, a.shape[0], a.shape[1], b.shape[2])


def _addmv(bias: Tensor, a: Tensor, x: Tensor, **_: Any) -> bool:
    fits = _mv(a, x) and _expands(bias, a.shape[0])
    return fits and (a.numel() > 0 or bias.shape == a.shape[:1])  # else torch does not expand it


def _within(x: Tensor, dim: int) -> bool:
    size = x.dim() or 1
    return -size <= dim < size


def _softmax(x: Tensor, dim: int, half_to_float: bool) -> bool:
    return not half_to_float and _within(x, dim)


def _softmax_backward(dy: Tensor, y: Tensor, dim: int, dtype: torch.dtype) -> bool:
    return dy.shape == y.shape and dtype is torch.float32 and _within(y, dim)


def _reduced(x: Tensor, dim: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> bool:
    """Each dimension is there, and named once."""
    if not dim:
        return True
    size = x.dim() or 1
    return all(-size <= d < size for d in dim) and len({d % size for d in dim}) == len(dim)


def _norm(
    x: Tensor, ord: Any = 2, dim: Sequence[int] | None = None, keepdim: bool = False, **_: Any
) -> bool:
    return bool(ord == 2) and _reduced(x, dim)


def _real(x: Any, y: Any) -> bool:
    return not isinstance(x, complex) and not isinstance(y, complex)


def _embedding_backward(dy: Tensor, ids: Tensor, rows: int, padding: int, by_count: bool) -> bool:
    """Of `embedding_dense_backward`, the one operator with integers among its tensors."""
    return (
        not by_count
        and ids.dtype in (torch.int64, torch.int32)
        and dy.dim() > 0
        and dy.numel() == ids.numel() * dy.shape[-1]
    )


CONDITIONS: dict[str, Condition] = {
    "mm": _mm,
    "bmm": _bmm,
    "addmm": _addmm,
    "baddbmm": _baddbmm,
    "mv": _mv,
    "addmv": _addmv,
    "dot": _dot,
    "vdot": _dot,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    "_softmax_backward_data": _softmax_backward,
    "_log_softmax_backward_data": _softmax_backward,
    "sum.dim_IntList": _reduced,
    "mean.dim": _reduced,
    "linalg_vector_norm": _norm,
    "pow.Tensor_Scalar": _real,
    "pow.Scalar": _real,
}
"""operator -> condition; the others take any shape"""


def ours(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call is float32 through and through, and its arguments fit each other."""
    if name == "embedding_dense_backward":
        return args[0].dtype is torch.float32 and _embedding_backward(*args)
    if kwargs.get("dtype") not in (None, torch.float32):
        return False
    for x in args:
        if isinstance(x, Tensor) and x.dtype is not torch.float32:
            return False
    condition = CONDITIONS.get(name)
    return condition is None or condition(*args, **kwargs)
