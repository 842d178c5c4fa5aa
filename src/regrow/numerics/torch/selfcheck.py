"""Is fma32 in force? A few operators on fixed numbers against hashes of their results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from regrow.numerics import library
from regrow.numerics.library import NumericsError
from regrow.numerics.torch import attention, functional, optim

EXPECTED: dict[str, str] = {
    "aten.mm": "7f07d227d87eaa13",
    "aten.linear": "e111a1bb09bd2a92",
    "aten.bmm": "356d0e0c535dc8ed",
    "aten.softmax": "fdd2b3427e62f48d",
    "aten.log_softmax": "e86973d52527d6f3",
    "aten.silu": "e393a0bae14b74be",
    "aten.elementary": "96afd29bebc8a0a8",
    "aten.sums": "3033568b62e79703",
    "fused.loss": "b4b44eb948bc5666",
    "fused.gradient": "1f9743ec0a262e57",
    "fused.attention": "d9acb61eccd29181",
    "fused.attention.gradient": "b1382dda8bc5f9fa",
    "optim": "da566bade87f3758",
    "optim.norm": "ed6b40f580e886bc",
}


def numbers(*shape: int, seed: int) -> Tensor:
    """Fixed float32 numbers in (-2, 2): integers of a linear congruence, scaled exactly."""
    count = 1
    for size in shape:
        count *= size
    state, values = seed * 2654435761 + 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        values.append((state >> 40) - (1 << 23))
    return torch.tensor(values, dtype=torch.float64).mul_(2.0**-22).to(torch.float32).view(shape)


def results() -> Iterator[tuple[str, Tensor]]:
    """What is hashed: torch's operators as a model calls them, then the fused ones."""
    a, b, x = numbers(37, 300, seed=1), numbers(300, 45, seed=2), numbers(9, 70, seed=3)
    yield "aten.mm", a @ b
    yield "aten.linear", torch.nn.functional.linear(a, b.t().contiguous(), b[0, :45])
    yield "aten.bmm", torch.einsum("bij,bkj->bik", x.view(3, 3, 70), a[:15, :70].reshape(3, 5, 70))
    yield "aten.softmax", torch.softmax(x, dim=-1)
    yield "aten.log_softmax", torch.log_softmax(x, dim=0)
    yield "aten.silu", torch.nn.functional.silu(x)
    yield "aten.elementary", torch.cat([x.exp(), x.abs().log(), x.cos(), x.sin(), 500000.0**-x])
    yield (
        "aten.sums",
        torch.cat([x.sum().view(1), x.mean(0), x.pow(2).mean(-1).rsqrt(), x.norm()[None]]),
    )
    weight = numbers(70, seed=4)
    leaf = x.clone().requires_grad_()
    y = functional.rms_norm(leaf, weight, 1e-6, residual=x)
    y = functional.swiglu(y, functional.linear(y, numbers(70, 70, seed=5)))
    loss, *_ = functional.cross_entropy(y, torch.arange(9), z_loss=1e-4)
    loss.backward()
    yield "fused.loss", loss.detach().view(1)
    yield "fused.gradient", leaf.grad  # type: ignore[misc]
    q, k, v = (numbers(2, heads, 40, 16, seed=heads + i) for i, heads in enumerate((4, 2, 2)))
    leaf = q.requires_grad_()
    out = attention.attention(leaf, k, v, scale=0.25, window=24)
    out.backward(numbers(2, 40, 4, 16, seed=9))
    yield "fused.attention", out.detach()
    yield "fused.attention.gradient", leaf.grad  # type: ignore[misc]
    p, m, s = numbers(48, 36, seed=6), torch.zeros(48, 36), torch.zeros(48, 36)
    g = numbers(48, 36, seed=7)
    optim.adamw_step(p, g, m, s, step=3, lr=1e-2, betas=(0.9, 0.95), eps=1e-8, wd=0.1)
    optim.muon_step(p, g, m, lr=1e-2, momentum=0.95, wd=0.1)
    yield "optim", p
    yield "optim.norm", torch.tensor([optim.grad_norm([p, g])], dtype=torch.float64)


def hashes() -> dict[str, str]:
    """The first 16 hex digits of SHA-256 over each result's bytes."""
    with torch.enable_grad():
        return {
            name: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()[:16]
            for name, value in results()
        }


def check() -> None:
    """Compare with the expected hashes.

    Raises:
        NumericsError: a result has other bits; names the first one.
    """
    for name, found in hashes().items():
        if EXPECTED.get(name) != found:
            raise NumericsError(
                f"fma32 is not in force: {name} has other bits than it should ({library.chosen()} "
                "kernels). If another library changed torch's operators, call activate() after it; "
                "else set REGROW_ISA=avx2 and report the processor"
            )
