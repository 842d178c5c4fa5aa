"""After `activate()` torch's operators raise what plain torch raises, and else give its values.

Shapes are random, most of them nearly right; numbers are small, huge, infinite and NaN.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from regrow.numerics.torch import activate

activate()

import torch  # noqa: E402

from regrow.numerics.torch import aten  # noqa: E402

F = torch.nn.functional
Call = Callable[[], Any]
Case = tuple[str, Call]


def outcome(call: Call) -> Any:
    """What a call returns, or the type of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:
            return type(error)


def compare(cases: list[Case]) -> None:
    """Every case in plain torch, then in fma32: the same exception, or values within rounding."""
    aten.remove()
    try:
        plain = [outcome(call) for _, call in cases]
    finally:
        aten.override()
    for (name, call), want in zip(cases, plain, strict=True):
        found = outcome(call)
        if isinstance(want, type) or isinstance(found, type):
            assert found is want, f"{name}: {found}, plain torch {want}"
            continue
        assert found.dtype is want.dtype and found.shape == want.shape, name
        torch.testing.assert_close(
            found,
            want,
            rtol=1e-4,
            atol=1e-5,
            equal_nan=True,
            msg=lambda text, n=name: f"{n}: {text}",
        )


class Draw:
    """Random arguments."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.torch = torch.Generator().manual_seed(self.random.randrange(2**31))

    def size(self) -> int:
        return self.random.choice([0, 1, 1, 2, 3, 4, 5, 17])

    def shape(self, most: int = 4) -> list[int]:
        return [self.size() for _ in range(self.random.randrange(most + 1))]

    def near(self, shape: list[int]) -> list[int]:
        """The shape itself, or one with a wrong, missing or additional side."""
        shape, kind = list(shape), self.random.randrange(8)
        if kind == 0 and shape:
            shape[self.random.randrange(len(shape))] = self.size()
        elif kind == 1 and shape:
            del shape[self.random.randrange(len(shape))]
        elif kind == 2:
            shape.insert(self.random.randrange(len(shape) + 1), self.size())
        elif kind == 3 and shape:
            shape[self.random.randrange(len(shape))] = 1
        return shape

    def tensor(self, shape: list[int]) -> torch.Tensor:
        """Of that shape, sometimes of other strides, another type or with odd numbers."""
        kind = self.random.randrange(12)
        x = torch.randn(shape, generator=self.torch)
        if kind == 0 and x.numel():
            odd = self.random.choice([math.inf, -math.inf, math.nan, 0.0, -0.0])
            x.view(-1)[self.random.randrange(x.numel())] = odd
        elif kind == 1:
            x = x.to(self.random.choice([torch.float64, torch.int64, torch.bfloat16]))
        elif kind in (2, 3) and x.dim() > 1:
            x = torch.randn(shape[::-1], generator=self.torch).permute(*reversed(range(x.dim())))
        elif kind == 5:
            x = x * 10.0 ** self.random.randrange(-12, 13)
        elif kind == 4 and x.dim():
            x = torch.randn([*shape[:-1], 2 * shape[-1]], generator=self.torch)[..., ::2]
        return x

    def dim(self, rank: int) -> int:
        return self.random.randrange(-rank - 2, rank + 2)


def products(d: Draw) -> Case:
    b, m, k, n = (d.size() for _ in range(4))
    name = d.random.choice(
        ["mm", "bmm", "mv", "dot", "vdot", "matmul", "linear", "addmm", "baddbmm", "addmv"]
    )
    shapes = {
        "mm": ([m, k], [k, n]),
        "bmm": ([b, m, k], [b, k, n]),
        "mv": ([m, k], [k]),
        "dot": ([k], [k]),
        "vdot": ([k], [k]),
        "matmul": (d.random.choice([[b, m, k], [m, k], [k]]), d.random.choice([[k, n], [k]])),
        "linear": (d.random.choice([[b, m, k], [m, k], [k]]), [n, k]),
        "addmm": ([m, n], [m, k], [k, n]),
        "baddbmm": ([b, m, n], [b, m, k], [b, k, n]),
        "addmv": ([m], [m, k], [k]),
    }[name]
    args = [d.tensor(d.near(list(shape))) for shape in shapes]
    options: dict[str, Any] = {}
    if name.startswith("add") or name == "baddbmm":
        options = {
            "alpha": d.random.choice([1, 1, 0.5, 2, 0 if name != "baddbmm" else 1]),
            "beta": d.random.choice([1, 1, 0, -0.5]),
        }
    function = getattr(F if name == "linear" else torch, name)
    label = f"{name} {[(tuple(x.shape), x.stride(), x.dtype) for x in args]} {options}"
    way = d.random.randrange(4)
    if name in ("mm", "bmm", "addmm", "baddbmm", "addmv") and way == 0:
        kind = d.random.choice([torch.float32, torch.float32, torch.int64, torch.float64])
        return f"{label} out={kind}", lambda: function(
            *args, **options, out=torch.empty(0, dtype=kind)
        )
    if name.startswith("add") and way == 1:
        return f"{label} in place", lambda: getattr(args[0].clone(), f"{name}_")(
            *args[1:], **options
        )
    return label, lambda: function(*args, **options)


def reductions(d: Draw) -> Case:
    x = d.tensor(d.shape())
    name = d.random.choice(["sum", "mean", "norm", "softmax", "log_softmax"])
    keep = d.random.random() < 0.5
    dims = [d.dim(x.dim()) for _ in range(d.random.randrange(4))]
    label = f"{name} {tuple(x.shape)} {x.dtype} {dims} {keep}"
    if name == "norm":
        return label, lambda: torch.linalg.vector_norm(x, dim=dims or None, keepdim=keep)
    if name.endswith("softmax"):
        dim = d.dim(x.dim())
        return f"{label} {dim}", lambda: getattr(torch, name)(x, dim)
    if d.random.random() < 0.2:
        return f"{label} all", lambda: getattr(x, name)()
    if d.random.random() < 0.2:
        return f"{label} out", lambda: getattr(torch, name)(x, dims, keep, out=torch.empty(0))
    return label, lambda: getattr(x, name)(dims, keep)


def elements(d: Draw) -> Case:
    shape = d.shape(3)
    x = d.tensor(shape)
    name = d.random.choice([*aten.UNARY, "pow", "pow", "pow", "silu_backward", "softmax_backward"])
    label = f"{name} {tuple(x.shape)} {x.dtype}"
    if name == "pow":
        y = d.random.choice([0, 1, 2, 3, -1, 0.5, -0.5, 2.5, True, 1j, d.tensor(d.near(shape))])
        way = d.random.randrange(4)
        if way == 0:
            return f"{label} ** {y}", lambda: x.clone().pow_(y)
        if way == 1 and not isinstance(y, torch.Tensor):
            return f"{y} ** {label}", lambda: torch.pow(y, x)
        return f"{label} ** {y}", lambda: torch.pow(x, y)
    if name == "silu_backward":
        dy = d.tensor(d.near(shape))
        return f"{label} {dy.shape} {dy.dtype}", lambda: torch.ops.aten.silu_backward(dy, x)
    if name == "softmax_backward":
        dy, dim = d.tensor(d.near(shape)), d.dim(len(shape))
        logs = d.random.choice(["_softmax_backward_data", "_log_softmax_backward_data"])
        call = getattr(torch.ops.aten, logs)
        if dy.shape != x.shape:
            return label, lambda: 0 * x  # plain torch reads beyond the smaller one
        return f"{label} {dim}", lambda: call(dy, x, dim, torch.float32)
    function = F.silu if name == "silu" else getattr(torch, name)
    if d.random.random() < 0.2:
        return (
            f"{label} in place",
            lambda: (
                function(x.clone(), inplace=True)
                if name == "silu"
                else getattr(x.clone(), f"{name}_")()
            ),
        )
    return label, lambda: function(x)


def embeddings(d: Draw) -> Case:
    rows, dim = d.random.choice([1, 3, 9]), d.size()
    shape = d.shape(2)
    ids = torch.tensor(
        [d.random.randrange(rows) for _ in range(math.prod(shape))], dtype=torch.int64
    ).view(shape)
    if ids.numel() and d.random.random() < 0.3:
        ids.view(-1)[-1] = d.random.choice([-1, rows, -100, 10**9])
    ids = ids.to(d.random.choice([torch.int64, torch.int64, torch.int32, torch.int16]))
    padding = d.random.choice([None, 0, -1])
    weight = torch.randn(rows, dim, generator=d.torch)

    def call() -> torch.Tensor:
        leaf = weight.clone().requires_grad_()
        F.embedding(ids, leaf, padding_idx=padding).sin().sum().backward()
        return leaf.grad

    return f"embedding {rows} x {dim}, {ids.tolist()} {ids.dtype} {padding}", call


@pytest.mark.parametrize(
    "make", [products, reductions, elements, embeddings], ids=lambda f: f.__name__
)
def test_random_calls_end_as_in_plain_torch(make: Callable[[Draw], Case]) -> None:
    compare([make(Draw(f"{make.__name__} {n}")) for n in range(1500)])
