"""The two halves of a layer as one operator each: fewer calls, fewer passes over memory.

Forward results equal the composition of the single operators bit for bit. In the backward pass
the gradient of the input is one chain per element over the columns of all projections in turn.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from regrow.numerics.torch.functional import (
    _flat,
    norm_backward,
    norm_forward,
    swiglu_backward,
    turn,
)
from regrow.numerics.torch.kernels import ShapeError, dense, native, product, rows


class _Projections(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        wq: Tensor,
        wk: Tensor,
        wv: Tensor,
        nq: Tensor,
        nk: Tensor,
        cosine: Tensor,
        sine: Tensor,
        dim: int,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, _ = x.shape
        flat = _flat(x)
        cosine, sine = dense(cosine), dense(sine)
        q, k, v = (product(flat, w.t()) for w in (wq, wk, wv))
        qn, rq = norm_forward(q, nq, None, eps)
        kn, rk = norm_forward(k, nk, None, eps)
        ctx.save_for_backward(flat, wq, wk, wv, nq, nk, q, k, rq, rk)
        ctx.table, ctx.shape, ctx.dim = (cosine, sine), x.shape, dim
        q4, k4, v4 = (t.view(batch, length, -1, dim) for t in (qn, kn, v))
        turn(q4, cosine, sine, 1.0, out=q4)
        turn(k4, cosine, sine, 1.0, out=k4)
        return q4.transpose(1, 2), k4.transpose(1, 2), v4.transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor) -> tuple[Any, ...]:
        x, wq, wk, wv, nq, nk, q, k, rq, rk = ctx.saved_tensors
        count = x.shape[0]
        dq, dk = (turn(rows(d.transpose(1, 2)), *ctx.table, -1.0) for d in (dq, dk))  # type: ignore[call-arg]
        dv = dense(dv.transpose(1, 2)).view(count, -1)
        dq, dnq = norm_backward(dq.view(count, -1), q, nq, rq)
        dk, dnk = norm_backward(dk.view(count, -1), k, nk, rk)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = product(dq, wq)
            product(dk, wk, dx, chain=True)
            product(dv, wv, dx, chain=True)
            dx = dx.view(ctx.shape)
        dwq, dwk, dwv = (product(d.t(), x) for d in (dq, dk, dv))
        return dx, dwq, dwk, dwv, dnq, dnk, None, None, None, None


def projections(
    x: Tensor,
    wq: Tensor,
    wk: Tensor,
    wv: Tensor,
    nq: Tensor,
    nk: Tensor,
    cosine: Tensor,
    sine: Tensor,
    *,
    dim: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Olmo 3's queries, keys, values from x (batch, length, hidden): (batch, heads, length, dim).

    Queries and keys are normalised over all heads together (weights nq, nk), then rotated.
    """
    return _Projections.apply(x, wq, wk, wv, nq, nk, cosine, sine, dim, eps)


class _MLP(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, wg: Tensor, wu: Tensor, wd: Tensor) -> Tensor:
        flat = _flat(x)
        gate, up = product(flat, wg.t()), product(flat, wu.t())
        if gate.shape != up.shape:
            raise ShapeError(f"a gate of {tuple(wg.shape)} for {tuple(wu.shape)}")
        inner = torch.empty_like(gate)
        native().swiglu(gate.numel(), gate.data_ptr(), up.data_ptr(), inner.data_ptr())
        ctx.save_for_backward(flat, wg, wu, wd, gate, up, inner)
        return product(inner, wd.t()).view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, wg, wu, wd, gate, up, inner = ctx.saved_tensors
        flat = _flat(dy)
        dwd = product(flat.t(), inner)
        dgate, dup = swiglu_backward(product(flat, wd), gate, up)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = product(dup, wu, product(dgate, wg), chain=True).view(dy.shape)
        return dx, product(dgate.t(), x), product(dup.t(), x), dwd


def mlp(x: Tensor, wg: Tensor, wu: Tensor, wd: Tensor) -> Tensor:
    """(silu(x wg^T) * (x wu^T)) wd^T: (..., hidden) -> (..., hidden)."""
    return _MLP.apply(x, wg, wu, wd)
