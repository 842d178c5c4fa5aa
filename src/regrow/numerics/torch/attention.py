"""Softmax attention where each query sees one run of keys (causal, windowed, by document, padded)."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from regrow.numerics.torch.kernels import ShapeError, dense, native, rows, triple


@functools.lru_cache(maxsize=64)
def causal(queries: int, keys: int, window: int | None) -> tuple[Tensor, Tensor]:
    """First and one-past-last key of each query, (1, queries) int32, the last query seeing key `keys - 1`.

    A query sees itself and the window - 1 positions before it (all of them without a window).
    """
    if window is not None and window < 1:
        raise ValueError(f"a window of {window} positions: it must be at least 1")
    stop = torch.arange(keys - queries + 1, keys + 1, dtype=torch.int32)[None].clamp_(min=0)
    start = torch.zeros_like(stop) if window is None else (stop - window).clamp_(min=0)
    return start, stop


def document_runs(document: Tensor, window: int | None = None) -> tuple[Tensor, Tensor]:
    """Causal runs within documents: document (batch, length), equal numbers side by side."""
    batch, length = document.shape
    start, stop = causal(length, length, window)
    index = torch.arange(length, dtype=torch.int32).expand(batch, length)
    fresh = torch.ones_like(document, dtype=torch.bool)
    fresh[:, 1:] = document[:, 1:] != document[:, :-1]
    begin = torch.where(fresh, index, 0).cummax(dim=1).values
    return torch.maximum(begin, start).to(torch.int32).contiguous(), stop.expand(
        batch, length
    ).contiguous()


def runs_of_mask(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Runs from a mask (batch or 1, 1, queries, keys): bool (True: seen) or additive (0: seen).

    Raises:
        ValueError: a query sees keys that are not neighbours, or the mask differs by head.
    """
    if mask.dim() != 4 or mask.shape[1] != 1:
        raise ValueError(
            f"fma32 attention needs a mask (batch, 1, queries, keys), not {tuple(mask.shape)}"
        )
    seen = mask[:, 0] if mask.dtype is torch.bool else mask[:, 0] == 0
    count = seen.sum(dim=-1, dtype=torch.int32)
    start = seen.to(torch.uint8).argmax(dim=-1).to(torch.int32)
    stop = start + count
    keys = torch.arange(seen.shape[-1], dtype=torch.int32)
    if not torch.equal(seen, (keys >= start[..., None]) & (keys < stop[..., None])):
        raise ValueError("fma32 attention: a query must see one run of neighbouring keys")
    return start.contiguous(), stop.contiguous()


class _Attention(Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, start: Tensor, stop: Tensor, scale: float
    ) -> Tensor:
        q, k, v = rows(q), rows(k), rows(v)
        batch, heads, tq, dim = q.shape
        tk = k.shape[2]
        out = torch.empty(batch, tq, heads, dim)
        top, inverse = torch.empty(batch, heads, tq), torch.empty(batch, heads, tq)
        ctx.sizes = (batch, heads, heads // k.shape[1], tq, tk, dim)
        ctx.runs = (start, stop, 0 if start.shape[0] == 1 else tq, scale)
        native().attention(
            *_given(ctx, q, k, v), out.data_ptr(), top.data_ptr(), inverse.data_ptr()
        )
        ctx.save_for_backward(q, k, v, out, top, inverse)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dout: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, out, top, inverse = ctx.saved_tensors
        batch, heads, group, tq, tk, dim = ctx.sizes
        dout = dense(dout)
        dq = torch.empty(batch, tq, heads, dim)
        dk = torch.empty(batch, tk, heads // group, dim)
        dv = torch.empty_like(dk)
        native().attention_backward(
            *(*_given(ctx, q, k, v), out.data_ptr(), dout.data_ptr(), top.data_ptr()),
            *(inverse.data_ptr(), dq.data_ptr(), dk.data_ptr(), dv.data_ptr()),
        )
        return dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2), None, None, None


def _given(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> list[Any]:
    start, stop, step, scale = ctx.runs
    given: list[Any] = [*ctx.sizes]
    for x in (q, k, v):
        given += [x.data_ptr(), triple(*x.stride()[:3])]
    return [*given, start.data_ptr(), stop.data_ptr(), step, scale]


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    scale: float,
    window: int | None = None,
    runs: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """softmax(scale q k^T) v over each query's run of keys: (batch, queries, heads, dim), contiguous.

    q (batch, heads, queries, dim), k and v (batch, kv heads, keys, dim), heads a multiple of kv
    heads. runs: see `causal`, `document_runs`, `runs_of_mask`; default causal with `window`, the
    last query at the last key. A query that sees nothing gets zeros.

    Raises:
        ShapeError: shapes that do not fit each other.
        ValueError: runs that name keys which are not there, or are no integers.
        TypeError: a tensor is not float32 on the CPU.
    """
    shapes = f"{tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}"
    if q.dim() != 4 or k.dim() != 4 or k.shape != v.shape:
        raise ShapeError(f"attention: shapes {shapes}")
    batch, heads, tq, dim = q.shape
    if k.shape[0] != batch or k.shape[3] != dim or not k.shape[1] or heads % k.shape[1]:
        raise ShapeError(f"attention: shapes {shapes}")
    keys = k.shape[2]
    start, stop = causal(tq, keys, window) if runs is None else _checked(runs, batch, tq, keys)
    return _Attention.apply(q, k, v, start, stop, scale)


def _checked(
    runs: tuple[Tensor, Tensor], batch: int, queries: int, keys: int
) -> tuple[Tensor, Tensor]:
    """Runs as the kernel reads them: int32, contiguous, within the keys."""
    start, stop = runs
    if start.shape != stop.shape or start.shape not in ((1, queries), (batch, queries)):
        raise ShapeError(
            f"attention: runs {tuple(start.shape)}, {tuple(stop.shape)} for {batch} x {queries} queries"
        )
    for run in runs:
        if run.dtype not in (torch.int32, torch.int64):
            raise ValueError(f"attention: runs are int32 or int64, not {run.dtype}")
        if run.numel() and not (int(run.min()) >= 0 and int(run.max()) <= keys):
            raise ValueError(
                f"attention: a run from {int(start.min())} to {int(stop.max())} of {keys} keys"
            )
    return start.to(torch.int32).contiguous(), stop.to(torch.int32).contiguous()
