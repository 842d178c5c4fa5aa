"""Overrides of torch's own float32 CPU operators, so that unmodified models compute in fma32.

Other data types go on to torch's kernels (float64 stays float64), and so do arguments that do not fit
each other (`fits`), which torch's kernels refuse. Operators that are one correctly rounded operation
per element (+ - * / ...) are left to torch: there is only one result.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.library import Library, get_kernel

from regrow.numerics.library import NumericsError
from regrow.numerics.torch import fits, kernels, powers
from regrow.numerics.torch.kernels import dense, native, product, products

Operator = Callable[..., Tensor]
_library: Library | None = None


def _addmm(bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """(a b) alpha + bias beta: the chain, then one rounding for each factor and for the sum.

    A factor of 0 leaves its side out, as in BLAS: infinity and NaN there do not count.
    """
    if alpha == 0:
        y = torch.zeros(*a.shape[:-1], b.shape[-1])
    else:
        y = products(a, b) if a.dim() == 3 else product(a, b)
    if alpha not in (0, 1):
        y.mul_(alpha)
    if beta == 0:
        return y
    return y.add_(bias if beta == 1 else bias * beta)


def _mv(a: Tensor, x: Tensor) -> Tensor:
    return product(a, x[:, None])[:, 0]


def _addmv(bias: Tensor, a: Tensor, x: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    return _addmm(bias.expand(a.shape[0])[:, None], a, x[:, None], beta=beta, alpha=alpha)[:, 0]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return product(a[None], b[:, None])[0, 0]


def _last(x: Tensor, dim: int) -> Tensor:
    return x.movedim(dim, -1) if x.dim() else x[None]


def _back(y: Tensor, like: Tensor, dim: int) -> Tensor:
    return y.movedim(-1, dim).contiguous() if like.dim() else y[0]


def _softmax(logs: bool) -> Operator:
    def forward(x: Tensor, dim: int, half_to_float: bool) -> Tensor:
        return _back(kernels.softmax(_last(x, dim), logs=logs), x, dim)

    return forward


def _softmax_backward(logs: bool) -> Operator:
    def backward(dy: Tensor, y: Tensor, dim: int, input_dtype: torch.dtype) -> Tensor:
        return _back(kernels.softmax_backward(_last(dy, dim), _last(y, dim), logs=logs), y, dim)

    return backward


def _silu_backward(dy: Tensor, x: Tensor) -> Tensor:
    if dy.shape != x.shape:
        dy, x = torch.broadcast_tensors(dy, x)
    dy, x = dense(dy), dense(x)
    dx = torch.empty_like(x)
    native().silu_backward(x.numel(), dy.data_ptr(), x.data_ptr(), dx.data_ptr())
    return dx


def _unary(name: str) -> Operator:
    return lambda x: kernels.unary(name, x)


def _sum(
    x: Tensor, dim: Sequence[int] | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    dims = sorted(d % max(x.dim(), 1) for d in dim) if dim else list(range(x.dim()))
    if not x.dim():
        return x.clone()
    kept = [d for d in range(x.dim()) if d not in dims]
    flat = x.permute(*kept, *dims).reshape([x.shape[d] for d in kept] + [-1] if x.numel() else [0])
    if not x.numel():
        y = torch.zeros([x.shape[d] for d in kept])
    else:
        y = kernels.sums(flat)
    if keepdim:
        y = y.reshape([1 if d in dims else size for d, size in enumerate(x.shape)])
    return y


def _sum_all(x: Tensor, *, dtype: Any = None) -> Tensor:
    return _sum(x)


def _mean(
    x: Tensor, dim: Sequence[int] | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    y = _sum(x, dim, keepdim)
    return y / (x.numel() // y.numel()) if y.numel() else y


def _norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    return kernels.unary("sqrt", _sum(x * x, dim, keepdim))


def _embedding_backward(dy: Tensor, ids: Tensor, rows: int, padding: int, by_count: bool) -> Tensor:
    return kernels.embedding_backward(dy, ids, rows, padding)


def _no_sdpa(*_: Any, **__: Any) -> Tensor:
    raise NumericsError(
        "scaled_dot_product_attention in float32 is not part of fma32: it calls its vendor's matrix "
        'library. Use attn_implementation="eager", or regrow.numerics.torch.install.install(model)'
    )


UNARY = ("exp", "log", "sqrt", "rsqrt", "sigmoid", "tanh", "silu", "sin", "cos")

OPERATORS: dict[str, Operator] = {
    "mm": product,
    "bmm": products,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "mv": _mv,
    "addmv": _addmv,
    "dot": _dot,
    "vdot": _dot,
    "_softmax": _softmax(False),
    "_log_softmax": _softmax(True),
    "_softmax_backward_data": _softmax_backward(False),
    "_log_softmax_backward_data": _softmax_backward(True),
    "silu_backward": _silu_backward,
    "sum": _sum_all,
    "sum.dim_IntList": _sum,
    "mean": lambda x, *, dtype=None: _mean(x),
    "mean.dim": _mean,
    "linalg_vector_norm": _norm,
    "pow.Tensor_Tensor": powers.power,
    "pow.Tensor_Scalar": powers.power_scalar,
    "embedding_dense_backward": _embedding_backward,
    "_scaled_dot_product_flash_attention_for_cpu": _no_sdpa,
    **{name: _unary(name) for name in UNARY},
}

OUT = {  # operator -> its overload that writes to a given tensor
    **{name: f"{name}.out" for name in ("mm", "bmm", "addmm", "baddbmm", "addmv", *UNARY)},
    "_softmax": "_softmax.out",
    "_log_softmax": "_log_softmax.out",
    "_softmax_backward_data": "_softmax_backward_data.out",
    "_log_softmax_backward_data": "_log_softmax_backward_data.out",
    "silu_backward": "silu_backward.grad_input",
    "sum.dim_IntList": "sum.IntList_out",
    "mean.dim": "mean.out",
    "linalg_vector_norm": "linalg_vector_norm.out",
    "pow.Tensor_Tensor": "pow.Tensor_Tensor_out",
    "pow.Tensor_Scalar": "pow.Tensor_Scalar_out",
}


def _functional(name: str, ours: Operator) -> Operator:
    theirs = get_kernel(f"aten::{name}", "CPU")

    def call(keys: Any, *args: Any, **kwargs: Any) -> Any:
        if fits.ours(name, args, kwargs):
            return ours(*args, **kwargs)
        return theirs.call_boxed(keys, *args, **kwargs)

    return call


def _writing(name: str, overload: str, ours: Operator) -> Operator:
    theirs = get_kernel(f"aten::{overload}", "CPU")
    target = (
        "grad_input"
        if overload in ("silu_backward.grad_input", "_softmax_backward_data.out")
        else "out"
    )

    def call(keys: Any, *args: Any, **kwargs: Any) -> Any:
        given = {key: value for key, value in kwargs.items() if key != target}
        out = kwargs[target]
        if out.dtype is not torch.float32 or not fits.ours(name, args, given):
            return theirs.call_boxed(keys, *args, **kwargs)
        y = ours(*args, **given)
        return (out if out.shape == y.shape else out.resize_(y.shape)).copy_(y)

    return call


def _in_place(name: str, ours: Operator) -> Operator:
    theirs = get_kernel(f"aten::{name}_", "CPU")

    def call(keys: Any, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if fits.ours(name, (x, *args), kwargs):
            return x.copy_(ours(x, *args, **kwargs))
        return theirs.call_boxed(keys, x, *args, **kwargs)

    return call


def override() -> None:
    """Put the overrides in place, once per process."""
    global _library
    if _library is not None:
        return
    made = {name: _functional(name, ours) for name, ours in OPERATORS.items()}
    made |= {out: _writing(name, out, OPERATORS[name]) for name, out in OUT.items()}
    in_place = [*UNARY, "addmm", "baddbmm", "addmv"]
    made |= {f"{name}_": _in_place(name, OPERATORS[name]) for name in in_place}
    made |= powers.overrides()
    library = Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="(?s).*verriding a previously registered kernel.*"
        )
        for name, function in made.items():
            library.impl(name, function, "CPU", with_keyset=True)
    _library = library


def remove() -> None:
    """Take the overrides away again (for tests)."""
    global _library
    if _library is not None:
        _library._destroy()
        _library = None
