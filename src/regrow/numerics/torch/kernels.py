"""The native kernels on torch tensors: no autograd, float32 on the CPU only."""

from __future__ import annotations

import ctypes
import functools

import torch
from torch import Tensor

from regrow.numerics import library

_threads = 1


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
    """`x` with unit stride in its last dimension, or a contiguous copy."""
    return x if x.dtype is torch.float32 and x.stride(-1) == 1 else dense(x)


def product(a: Tensor, b: Tensor, out: Tensor | None = None, *, chain: bool = False) -> Tensor:
    """a (m, k) times b (k, n), of any strides. With `chain` the chains go on from `out`."""
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
    """a (batch, m, k) times b (batch, k, n), of any strides."""
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


def triple(a: int, b: int, c: int) -> ctypes.Array[ctypes.c_int64]:
    """Three strides as a C array."""
    return (ctypes.c_int64 * 3)(a, b, c)
