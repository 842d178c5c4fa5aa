"""fma32's own functions: arguments that do not fit are refused before memory is touched."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from regrow.numerics.torch import activate

activate()

import torch  # noqa: E402

import tiny_layers as tiny  # noqa: E402
from regrow.numerics.torch import functional, fused, optim  # noqa: E402
from regrow.numerics.torch.attention import attention, causal, document_runs  # noqa: E402
from regrow.numerics.torch.install import install  # noqa: E402
from regrow.numerics.torch.kernels import ShapeError  # noqa: E402

F = torch.nn.functional
ones, zeros = torch.ones, torch.zeros


def table(*shape: int) -> dict[str, torch.Tensor]:
    return {"cosine": ones(*shape), "sine": ones(*shape)}


def tokens(*shape: int) -> torch.Tensor:
    return zeros(*shape, dtype=torch.int64)


WRONG: dict[str, Callable[[], Any]] = {
    "linear, inner sides": lambda: functional.linear(ones(2, 5), ones(3, 4)),
    "linear, a vector as weight": lambda: functional.linear(ones(2, 5), ones(5)),
    "linear, a number": lambda: functional.linear(ones(()), ones(3, 4)),
    "norm, a short weight": lambda: functional.rms_norm(ones(3, 3000), ones(4), 1e-6),
    "norm, a long weight": lambda: functional.rms_norm(ones(3, 4), ones(5), 1e-6),
    "norm, a matrix as weight": lambda: functional.rms_norm(ones(3, 4), ones(1, 4), 1e-6),
    "norm, a short residual": lambda: functional.rms_norm(ones(3, 4), ones(4), 1e-6, ones(4)),
    "norm, no columns": lambda: functional.rms_norm(ones(3, 0), ones(0), 1e-6),
    "norm, a number": lambda: functional.rms_norm(ones(()), ones(1), 1e-6),
    "swiglu, a short half": lambda: functional.swiglu(ones(3000, 3000), ones(10)),
    "swiglu, a column": lambda: functional.swiglu(ones(3, 4), ones(3, 1)),
    "rope, a short table": lambda: functional.rope(ones(2, 9, 2, 8), **table(1, 8, 8)),
    "rope, a narrow table": lambda: functional.rope(ones(2, 9, 2, 8), **table(1, 9, 4)),
    "rope, another batch": lambda: functional.rope(ones(2, 9, 2, 8), **table(3, 9, 8)),
    "rope, two tables": lambda: functional.rope(ones(2, 9, 2, 8), ones(2, 9, 8), ones(1, 9, 8)),
    "rope, an odd width": lambda: functional.rope(ones(2, 9, 2, 7), **table(1, 9, 7)),
    "rope, three sides": lambda: functional.rope(ones(9, 2, 8), **table(1, 9, 8)),
    "entropy, few targets": lambda: functional.cross_entropy(ones(4, 9), tokens(3)),
    "entropy, turned targets": lambda: functional.cross_entropy(ones(2, 6, 9), tokens(3, 4)),
    "next tokens, turned": lambda: functional.next_token_loss(ones(2, 6, 9), tokens(6, 2)),
    "log-probabilities, few": lambda: functional.token_logprobs(ones(4, 9), tokens(5)),
    "attention, keys and values": lambda: attend(k=(1, 2, 6, 8), v=(1, 2, 5, 8)),
    "attention, heads": lambda: attend(q=(1, 3, 6, 8)),
    "attention, no heads": lambda: attend(k=(1, 0, 6, 8), v=(1, 0, 6, 8)),
    "attention, width": lambda: attend(k=(1, 2, 6, 4), v=(1, 2, 6, 4)),
    "attention, three sides": lambda: attend(q=(4, 6, 8)),
    "attention, runs of other queries": lambda: attend(runs=runs(5, 6)),
    "attention, one run short": lambda: attend(runs=(runs(6, 6)[0], runs(6, 6)[1][:, :5])),
    "muon, a vector": lambda: optim.muon_step(ones(4), ones(4), ones(4), lr=1, momentum=0, wd=0),
    "muon, another gradient": lambda: optim.muon_step(
        ones(4, 4), ones(4, 3), ones(4, 4), lr=1, momentum=0, wd=0
    ),
    "orthogonalise a vector": lambda: optim.orthogonalise(ones(4)),
    "mlp, gate and up": lambda: fused.mlp(ones(2, 4), ones(6, 4), ones(5, 4), ones(4, 6)),
    "mlp, down": lambda: fused.mlp(ones(2, 4), ones(6, 4), ones(6, 4), ones(4, 5)),
}


def attend(
    q: tuple[int, ...] = (1, 4, 6, 8),
    k: tuple[int, ...] = (1, 2, 6, 8),
    v: tuple[int, ...] = (1, 2, 6, 8),
    **more: Any,
) -> torch.Tensor:
    return attention(ones(q), ones(k), ones(v), scale=1.0, **more)


def runs(queries: int, keys: int, kind: torch.dtype = torch.int32) -> tuple[Any, Any]:
    return zeros(1, queries, dtype=kind), torch.full((1, queries), keys, dtype=kind)


@pytest.mark.parametrize("case", sorted(WRONG))
def test_shapes_that_do_not_fit_are_refused(case: str) -> None:
    with pytest.raises(ShapeError):
        WRONG[case]()


def test_a_shape_error_is_what_torch_raises_and_a_value_error() -> None:
    assert issubclass(ShapeError, RuntimeError) and issubclass(ShapeError, ValueError)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.int64])
def test_weights_of_another_type_are_refused(kind: torch.dtype) -> None:
    x = ones(2, 4)
    for call in (
        lambda: functional.linear(x, ones(3, 4, dtype=kind)),
        lambda: functional.linear(x.to(kind), ones(3, 4)),
        lambda: functional.rms_norm(x, ones(4, dtype=kind), 1e-6),
        lambda: functional.rms_norm(x, ones(4), 1e-6, x.to(kind)),
        lambda: functional.swiglu(x, x.to(kind)),
        lambda: functional.embedding(tokens(2), ones(3, 4, dtype=kind)),
        lambda: optim.grad_norm([x.to(kind)]),
        lambda: optim.adamw_step(
            x, x, x, x.to(kind), step=1, lr=1, betas=(0.9, 0.9), eps=1e-8, wd=0
        ),
    ):
        with pytest.raises(TypeError, match="float32 on the CPU"):
            call()


def test_steps_count_from_one() -> None:
    x = ones(4)
    for step in (0, -1):
        with pytest.raises(ValueError, match="count from 1"):
            optim.adamw_step(x, x, x, x, step=step, lr=1, betas=(0.9, 0.9), eps=1e-8, wd=0)


@pytest.mark.parametrize("start, stop", [(-1, 6), (0, 7), (0, 10**6), (-(10**6), 3)])
@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_runs_over_keys_that_are_not_there_are_refused(
    start: int, stop: int, kind: torch.dtype
) -> None:
    first, last = runs(6, 6, kind)
    first[0, 3], last[0, 3] = start, stop
    with pytest.raises(ValueError, match=r"a run from -?\d+ to \d+ of 6 keys"):
        attend(runs=(first, last))


def test_runs_of_int64_or_of_other_strides_are_read_as_they_are() -> None:
    q, k, v = (torch.randn(2, heads, 9, 8) for heads in (4, 2, 2))
    start, stop = document_runs(torch.tensor([[0] * 4 + [1] * 5, [0] * 9]))
    want = attention(q, k, v, scale=0.5, runs=(start, stop))
    for change in (
        lambda x: x.to(torch.int64),
        lambda x: x.t().contiguous().t(),
        lambda x: torch.stack([x, x], dim=2)[..., 0],
    ):
        assert torch.equal(attention(q, k, v, scale=0.5, runs=(change(start), change(stop))), want)
    with pytest.raises(ValueError, match="int32 or int64"):
        attention(q, k, v, scale=0.5, runs=(start.float(), stop.float()))


def test_queries_before_the_first_key_see_nothing() -> None:
    q, k = torch.randn(1, 2, 40, 8), torch.randn(1, 2, 3, 8)
    _, stop = causal(40, 3, None)
    assert int(stop.min()) == 0 and stop[0, -3:].tolist() == [1, 2, 3]
    out = attention(q, k, k, scale=1.0)
    assert not out[:, :37].any() and torch.equal(out[:, 37], k[:, :, 0])
    for window in (0, -3):
        with pytest.raises(ValueError, match="at least 1"):
            attention(q, k, k, scale=1.0, window=window)


LAYOUTS = {
    "transposed": lambda: torch.randn(40, 30).t(),
    "every other column": lambda: torch.randn(500, 300)[:, ::2],
    "expanded": lambda: torch.randn(70, 1).expand(70, 50),
    "a column": lambda: torch.randn(3000, 7)[:, 3],
    "turned": lambda: torch.randn(8, 9, 10).permute(2, 0, 1),
    "nothing": lambda: torch.randn(0, 4).t(),
}


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_norms_of_tensors_that_are_not_contiguous(name: str) -> None:
    torch.manual_seed(1)
    many = [LAYOUTS[name]() for _ in range(4)]
    same = [x.contiguous() for x in many]
    held = [torch.full((4096,), 1e9) for _ in range(8)]  # what freed memory would be taken by
    del held
    assert optim.largest(many) == optim.largest(same)
    assert optim.squares(many, 4) == optim.squares(same, 4)
    assert optim.grad_norm(many) == optim.grad_norm(same)
    want = math.sqrt(sum(float(x.double().square().sum()) for x in same))
    assert optim.grad_norm(many) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_ids_of_either_type_have_the_gradient_of_int64(kind: torch.dtype) -> None:
    ids = torch.randint(0, 50, (3, 70))
    weight, dy = torch.randn(50, 24), torch.randn(3, 70, 24)
    gradients = []
    for function, given in ((functional.embedding, ids), (functional.embedding, ids.to(kind))):
        leaf = weight.clone().requires_grad_()
        function(given, leaf).backward(dy)
        gradients.append(leaf.grad)
    leaf = weight.clone().requires_grad_()
    F.embedding(ids.to(kind), leaf).backward(dy)
    gradients.append(leaf.grad)
    assert all(torch.equal(gradients[0], other) for other in gradients)
    want = zeros(50, 24, dtype=torch.float64).index_add_(0, ids.view(-1), dy.double().view(-1, 24))
    torch.testing.assert_close(gradients[0].double(), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_an_unmodified_and_an_installed_model_learn_from_int32_ids(kind: torch.dtype) -> None:
    ids = torch.randint(0, 60, (2, 20))
    for build in (tiny.model, lambda: install(tiny.model())):
        found = []
        for given in (ids, ids.to(kind)):
            model = build()
            model(given).logits.sum().backward()
            found.append(model.model.embed_tokens.weight.grad)
        assert torch.equal(*found)


@pytest.mark.parametrize("odd", [-1, -100, 50, 51, 10**9, -(2**40)])
def test_an_id_outside_the_vocabulary_is_named(odd: int) -> None:
    ids = torch.tensor([[3, odd, 4]])
    with pytest.raises(IndexError, match=rf"token id {odd} is outside the vocabulary of 50"):
        functional.embedding(ids, ones(50, 8))
    with pytest.raises(IndexError):
        F.embedding(ids, ones(50, 8))
    model = install(tiny.model())
    rows = model.config.vocab_size
    with pytest.raises(IndexError, match="token id"):
        model(torch.tensor([[3, odd if odd not in (50, 51) else rows]]))


def test_a_head_of_another_width_is_refused_before_and_after_install() -> None:
    for model in (tiny.model(), install(tiny.model())):
        width = model.config.hidden_size
        model.lm_head.weight = torch.nn.Parameter(ones(30, width - 4))
        with pytest.raises(RuntimeError):
            model(torch.tensor([[3, 4]]))


def test_the_sine_of_a_large_number_is_the_sine_of_that_number() -> None:
    exponents = torch.linspace(20.0, 127.9, 4000, dtype=torch.float64)
    x = torch.cat([exponents.exp2(), -exponents.exp2()]).to(torch.float32)
    x = torch.cat([x, torch.tensor([2.0**24, 2.0**24 + 2, 3e9, torch.finfo(torch.float32).max])])
    for name in ("sin", "cos"):
        found, want = getattr(x, name)(), getattr(x.double(), name)().float()
        torch.testing.assert_close(found, want, rtol=2e-7, atol=1e-12)
        for odd in (math.inf, -math.inf, math.nan):
            assert torch.tensor([odd, 1.0]).sin().isnan().tolist() == [True, False]


def test_a_factor_of_zero_leaves_its_side_out() -> None:
    """As in BLAS."""
    bad, good = torch.full((3, 3), math.inf), torch.randn(3, 3)
    assert torch.equal(torch.addmm(good, bad, good, alpha=0), good)
    assert torch.equal(torch.addmm(bad, good, good, beta=0), good @ good)
    assert torch.equal(torch.addmv(good[0], bad, good[0], alpha=0, beta=2), good[0] * 2)
    assert torch.equal(torch.baddbmm(good[None], bad[None], good[None], alpha=0), good[None])
    assert not torch.addmm(bad, bad, bad, alpha=0, beta=0).any()
