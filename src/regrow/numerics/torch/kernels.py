"""The native kernels on torch tensors: no autograd, float32 on the CPU only."""

from __future__ import annotations

import ctypes
import functools

import torch
from torch import Tensor

from regrow.numerics import library

_threads = 1


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit each other: a ValueError, and the RuntimeError that torch raises."""


@functools.cache
def native() -> library.Kernels:
    """The kernels in use by this process."""
    return library.kernels()


def set_threads(count: int) -> None:
    """Threads of the kernels (never part of the arithmetic)."""
    global _threads
    _threads = max(1, count)
    native().threads(_threads)


def dense(x: Tensor) -> Tensor:
    """`x` itself, or a contiguous copy.

    Raises:
        TypeError: not float32 on the CPU.
    """
    if x.dtype is not torch.float32 or x.device.type != "cpu":
        raise TypeError(f"fma32 computes in float32 on the CPU, not in {x.dtype} on {x.device}")
    return x if x.is_contiguous() else x.contiguous()


def rows(x: Tensor) -> Tensor:
    """`x` with unit stride in its last dimension, or a contiguous copy.

    Raises:
        TypeError: not float32 on the CPU.
        ShapeError: no dimension at all.
    """
    if not x.dim():
        raise ShapeError("fma32 computes along the last dimension; the tensor has none")
    return x if x.dtype is torch.float32 and x.is_cpu and x.stride(-1) == 1 else dense(x)


def product(a: Tensor, b: Tensor, out: Tensor | None = None, *, chain: bool = False) -> Tensor:
    """a (m, k) times b (k, n), of any strides. With `chain` the chains go on from `out` (m, n).

    Raises:
        TypeError: not float32 on the CPU.
        ShapeError: the shapes do not fit each other.
    """
    if a.dim() != 2 or b.dim() != 2 or a.shape[1] != b.shape[0]:
        raise ShapeError(f"a product of {tuple(a.shape)} and {tuple(b.shape)}")
    if b.dtype is not torch.float32 or a.dtype is not torch.float32 or not (a.is_cpu and b.is_cpu):
        dense(a), dense(b)
    m, k = a.shape
    n = b.shape[1]
    if out is None:
        out = torch.empty(m, n)
    ar, ac = a.stride()
    br, bc = b.stride()
    native().gemm(
        *(1, m, n, k, a.data_ptr(), 0, ar, ac, b.data_ptr(), 0, br, bc),
        *(out.data_ptr(), 0, out.stride(0), chain, _threads),
    )
    return out


def products(a: Tensor, b: Tensor) -> Tensor:
    """a (batch, m, k) times b (batch, k, n), of any strides; both float32, of shapes that fit."""
    batch, m, k = a.shape
    n = b.shape[2]
    out = torch.empty(batch, m, n)
    cuts = 1 if batch >= _threads else _threads
    native().gemm(
        *(batch, m, n, k, a.data_ptr(), *a.stride(), b.data_ptr(), *b.stride()),
        *(out.data_ptr(), m * n, n, False, cuts),
    )
    return out


def unary(name: str, x: Tensor) -> Tensor:
    """Elementwise exp, log, sqrt, rsqrt, sigmoid, tanh, silu, sin, cos."""
    x = dense(x)
    y = torch.empty_like(x)
    getattr(native(), name)(x.numel(), x.data_ptr(), y.data_ptr())
    return y


def sums(x: Tensor) -> Tensor:
    """Sums over the last dimension: 16 interleaved partial sums, then a fixed tree."""
    x = dense(x)
    y = torch.empty(x.shape[:-1])
    native().sum(y.numel(), x.shape[-1], x.data_ptr(), y.data_ptr())
    return y


def softmax(x: Tensor, *, logs: bool) -> Tensor:
    """Softmax, or its logarithm, over the last dimension."""
    x = dense(x)
    y = torch.empty_like(x)
    n = x.shape[-1]
    native().softmax(x.numel() // max(n, 1), n, x.data_ptr(), y.data_ptr(), logs)
    return y


def softmax_backward(dy: Tensor, y: Tensor, *, logs: bool) -> Tensor:
    """The gradient of `softmax` from that of its result y."""
    dy, y = dense(dy), dense(y)
    dx = torch.empty_like(y)
    n = y.shape[-1]
    native().softmax_backward(
        y.numel() // max(n, 1), n, dy.data_ptr(), y.data_ptr(), dx.data_ptr(), logs
    )
    return dx


def embedding_backward(dy: Tensor, ids: Tensor, rows: int, padding: int) -> Tensor:
    """The gradient (rows, dim) of an embedding from that of its result, dy (..., dim).

    ids: int64 or int32. `padding` and what is no row have no gradient.

    Raises:
        ShapeError: not one row of dy for each id.
    """
    ids, dy = ids.to(torch.int64).contiguous(), dense(dy)
    dim = dy.shape[-1]
    if dy.numel() != ids.numel() * dim:
        raise ShapeError(f"a gradient of {tuple(dy.shape)} for ids of {tuple(ids.shape)}")
    dw = torch.zeros(rows, dim)
    native().embedding_backward(
        ids.numel(), dim, rows, dy.data_ptr(), ids.data_ptr(), padding, dw.data_ptr()
    )
    return dw


def triple(a: int, b: int, c: int) -> ctypes.Array[ctypes.c_int64]:
    """Three strides as a C array."""
    return (ctypes.c_int64 * 3)(a, b, c)
