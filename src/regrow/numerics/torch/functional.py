"""Differentiable float32 operators of the fma32 class. Shapes are written (rows, columns).

Each is defined element by element (docs/concepts/numerics.md); no result depends on the instruction
set, the number of threads, or the rows beside it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from regrow.numerics.torch import kernels
from regrow.numerics.torch.kernels import ShapeError, dense, native, product, rows

IGNORE = -100


def _flat(x: Tensor) -> Tensor:
    """(..., n) -> (rows, n) with unit columns, without a copy where possible."""
    return rows(x).reshape(-1, x.shape[-1])


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        flat = _flat(x)
        ctx.save_for_backward(flat, weight)
        ctx.shape = x.shape
        return product(flat, weight.t()).view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        flat = _flat(dy)
        dx = product(flat, weight).view(ctx.shape) if ctx.needs_input_grad[0] else None
        return dx, product(flat.t(), x) if ctx.needs_input_grad[1] else None


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x (..., k) times the transpose of weight (n, k): (..., n).

    Raises (as every function here does):
        ShapeError: the shapes do not fit each other.
        TypeError: a tensor is not float32 on the CPU.
    """
    return _Linear.apply(x, weight)


def norm_forward(x: Tensor, weight: Tensor, residual: Tensor | None, eps: float) -> tuple[Any, ...]:
    """y and the reciprocal root mean square of each row; all contiguous."""
    n = x.shape[-1]
    if not n or weight.shape != (n,) or (residual is not None and residual.shape != x.shape):
        added = "" if residual is None else f" and a residual of {tuple(residual.shape)}"
        raise ShapeError(
            f"a norm of {tuple(x.shape)} with a weight of {tuple(weight.shape)}{added}"
        )
    count = x.numel() // n
    y, r = torch.empty_like(x), torch.empty(count)
    native().norm(
        *(count, n, x.data_ptr(), weight.data_ptr()),
        *(None if residual is None else residual.data_ptr(), eps, y.data_ptr(), r.data_ptr()),
    )
    return y, r


def norm_backward(dy: Tensor, x: Tensor, weight: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x and weight; all contiguous."""
    n = x.shape[-1]
    dx, dw = torch.empty_like(x), torch.empty_like(weight)
    native().norm_backward(
        *(x.numel() // n, n, dy.data_ptr(), x.data_ptr(), weight.data_ptr()),
        *(r.data_ptr(), dx.data_ptr(), dw.data_ptr()),
    )
    return dx, dw


class _Norm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, residual: Tensor | None, eps: float) -> Tensor:
        x, weight = rows(x).contiguous(), dense(weight)
        y, r = norm_forward(x, weight, None if residual is None else dense(residual), eps)
        ctx.save_for_backward(x, weight, r)
        ctx.added = residual is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        dx, dw = norm_backward(dense(dy), *ctx.saved_tensors)
        return dx, dw, dy if ctx.added else None, None


def rms_norm(x: Tensor, weight: Tensor, eps: float, residual: Tensor | None = None) -> Tensor:
    """weight * (x / sqrt(mean(x^2) + eps)) over the last dimension, plus `residual` if given.

    Source: Zhang and Sennrich, arXiv 1910.07467, equation 4.
    """
    return _Norm.apply(x, weight, residual, eps)


class _SwiGLU(Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        if gate.shape != up.shape:
            raise ShapeError(f"a gate of {tuple(gate.shape)} for {tuple(up.shape)}")
        gate, up = dense(gate), dense(up)
        ctx.save_for_backward(gate, up)
        y = torch.empty_like(gate)
        native().swiglu(gate.numel(), gate.data_ptr(), up.data_ptr(), y.data_ptr())
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        return swiglu_backward(dense(dy), *ctx.saved_tensors)


def swiglu_backward(dy: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of gate and up; all contiguous."""
    dgate, dup = torch.empty_like(gate), torch.empty_like(up)
    native().swiglu_backward(
        *(gate.numel(), dy.data_ptr(), gate.data_ptr(), up.data_ptr()),
        *(dgate.data_ptr(), dup.data_ptr()),
    )
    return dgate, dup


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up (Shazeer, arXiv 2002.05202), equal shapes."""
    return _SwiGLU.apply(gate, up)


def turn(x: Tensor, cosine: Tensor, sine: Tensor, sign: float, out: Tensor | None = None) -> Tensor:
    """Rotate x (batch, length, heads, dim), unit last stride, by +-1 times the table's angles.

    cosine, sine: (1 or batch, length, dim), contiguous.
    """
    if x.dim() != 4:
        raise ShapeError(f"a rotation needs (batch, length, heads, dim), not {tuple(x.shape)}")
    batch, length, heads, dim = x.shape
    table = cosine.shape
    if table != sine.shape or dim % 2 or table not in ((1, length, dim), (batch, length, dim)):
        raise ShapeError(
            f"tables of {tuple(table)} and {tuple(sine.shape)} for a rotation of {tuple(x.shape)}"
        )
    y = torch.empty(batch, length, heads, dim) if out is None else out
    (xb, xt, xh, _), (yb, yt, yh, _) = x.stride(), y.stride()
    native().rope(
        *(batch, length, heads, dim, x.data_ptr(), xb, xt, xh, y.data_ptr(), yb, yt, yh),
        *(cosine.data_ptr(), sine.data_ptr(), 0 if cosine.shape[0] == 1 else length * dim, sign),
    )
    return y


class _Rope(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.table = dense(cosine), dense(sine)
        return turn(rows(x), *ctx.table, 1.0)  # type: ignore[call-arg]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None]:
        return turn(rows(dy), *ctx.table, -1.0), None, None  # type: ignore[call-arg]


def rope(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary embedding of x (batch, length, heads, dim); cosine, sine (1 or batch, length, dim).

    Source: Su et al., arXiv 2104.09864, with the halves of a head as pairs (transformers).
    """
    return _Rope.apply(x, cosine, sine)


def _rows_of(weight: Tensor, ids: Tensor) -> Tensor:
    try:
        return torch.embedding(weight, ids)
    except IndexError:
        odd = ids[(ids < 0) | (ids >= weight.shape[0])]
        raise IndexError(
            f"token id {int(odd[0])} is outside the vocabulary of {weight.shape[0]} rows"
        ) from None


class _Embedding(Function):
    @staticmethod
    def forward(ctx: Any, ids: Tensor, weight: Tensor, padding: int | None) -> Tensor:
        if weight.dtype is not torch.float32 or not weight.is_cpu:
            dense(weight)
        ctx.save_for_backward(ids)
        ctx.rows, ctx.padding = weight.shape[0], -1 if padding is None else padding
        return _rows_of(weight, ids)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[None, Tensor, None]:
        (ids,) = ctx.saved_tensors
        return None, kernels.embedding_backward(dy, ids, ctx.rows, ctx.padding), None


def embedding(ids: Tensor, weight: Tensor, padding: int | None = None) -> Tensor:
    """Rows of weight; its gradient adds the tokens in their order (none for `padding`).

    Raises:
        IndexError: an id that is no row of weight; a negative one too. Names it.
        RuntimeError: ids that are neither int64 nor int32.
    """
    return _Embedding.apply(ids, weight, padding)


def _logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Logits (..., vocabulary) of targets (...), or of as many in a row: (rows, vocabulary)."""
    if not logits.dim() or targets.shape not in (logits.shape[:-1], (logits[..., 0].numel(),)):
        raise ShapeError(f"targets of {tuple(targets.shape)} for logits of {tuple(logits.shape)}")
    return dense(logits).reshape(-1, logits.shape[-1])


def _targets(logits: Tensor, targets: Tensor, ignore: int) -> Tensor:
    targets = targets.reshape(-1).to(torch.int64).contiguous()
    vocabulary = logits.shape[1]
    odd = (targets != ignore) & ((targets < 0) | (targets >= vocabulary))
    if bool(odd.any()):
        raise ValueError(f"target {int(targets[odd][0])} is outside the vocabulary of {vocabulary}")
    return targets


class _CrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, z_loss: float, total: float, ignore: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        count, vocabulary = logits.shape
        ce, lse = torch.empty(count), torch.empty(count)
        gradient = torch.empty(count, vocabulary) if ctx.needs_input_grad[0] else None
        native().entropy(
            *(count, vocabulary, logits.data_ptr(), targets.data_ptr(), ignore, 1.0 / total),
            *(z_loss, ce.data_ptr(), lse.data_ptr()),
            None if gradient is None else gradient.data_ptr(),
        )
        ctx.gradient = gradient
        entropy, z = _totals(ce)[0] / total, _totals(lse)[1] * z_loss / total
        parts = torch.tensor([entropy + z, entropy, z], dtype=torch.float64).to(torch.float32)
        loss, first, second = parts.unbind()
        ctx.mark_non_differentiable(first, second)
        return loss, first, second

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *_: Any) -> tuple[Any, ...]:
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:
            raise RuntimeError("cross_entropy: backward was called twice")
        if float(dy) != 1.0:
            gradient.mul_(dy)
        return gradient, None, None, None, None


def _totals(x: Tensor) -> tuple[float, float]:
    a, b = ctypes.c_double(), ctypes.c_double()
    native().total(x.numel(), x.data_ptr(), ctypes.byref(a), ctypes.byref(b))
    return a.value, b.value


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    total: float | None = None,
    z_loss: float = 0.0,
    ignore: int = IGNORE,
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy plus z-loss over (..., vocabulary) logits: (loss, entropy, z), scalars.

    entropy = sum of (lse - logit of the target) / total, z = z_loss * sum of lse^2 / total,
    loss = entropy + z; rows whose target is `ignore` count nowhere. total: default the number
    of rows that count. Only `loss` carries a gradient, and only once.
    Source of the z-loss: PaLM, arXiv 2204.02311, section 5.

    Raises:
        ShapeError: not one target for each row of logits.
        ValueError: a target outside the vocabulary.
    """
    flat = _logits(logits, targets)
    targets = _targets(flat, targets, ignore)
    if total is None:
        total = max(1, int((targets != ignore).sum()))
    return _CrossEntropy.apply(flat, targets, z_loss, float(total), ignore)


def next_token_loss(
    logits: Tensor, tokens: Tensor, *, total: float | None = None, z_loss: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """`cross_entropy` of logits (batch, length, vocabulary) against the tokens one to the right."""
    targets = torch.full_like(tokens, IGNORE)
    targets[:, :-1] = tokens[:, 1:]
    return cross_entropy(logits, targets, total=total, z_loss=z_loss)


class _LogProbs(Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, ignore: int) -> Tensor:
        count, vocabulary = logits.shape
        ce, lse = torch.empty(count), torch.empty(count)
        native().entropy(
            *(count, vocabulary, logits.data_ptr(), targets.data_ptr(), ignore, 1.0, 0.0),
            *(ce.data_ptr(), lse.data_ptr(), None),
        )
        ctx.save_for_backward(logits, targets, lse)
        ctx.ignore = ignore
        return ce.neg_()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None, None]:
        logits, targets, lse = ctx.saved_tensors
        dy, dx = dense(dy), torch.empty_like(logits)
        native().picked_backward(
            *(*logits.shape, logits.data_ptr(), lse.data_ptr(), dy.data_ptr()),
            *(targets.data_ptr(), ctx.ignore, dx.data_ptr()),
        )
        return dx, None, None


def token_logprobs(logits: Tensor, targets: Tensor, *, ignore: int = IGNORE) -> Tensor:
    """Log-probabilities of the targets (...) under logits (..., vocabulary); 0 where ignored.

    Raises:
        ValueError: see `cross_entropy`.
    """
    flat = _logits(logits, targets)
    return _LogProbs.apply(flat, _targets(flat, targets, ignore), ignore).view(targets.shape)
