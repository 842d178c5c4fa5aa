"""fma32 under torch: overrides, fused operators, the installed model."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from regrow.numerics.torch import activate

activate()

import torch  # noqa: E402
from torch import nn  # noqa: E402

import tiny_layers as tiny  # noqa: E402
from regrow.numerics.library import NumericsError  # noqa: E402
from regrow.numerics.torch import functional, fused, optim  # noqa: E402
from regrow.numerics.torch.attention import attention, document_runs, runs_of_mask  # noqa: E402
from regrow.numerics.torch.install import install  # noqa: E402

F = torch.nn.functional


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def agrees(ours, theirs, *inputs, rtol=2e-5):
    """Value and gradients of `ours` in float32 against torch's `theirs` in float64."""
    a = [x.clone().requires_grad_() for x in inputs]
    b = [x.double().requires_grad_() for x in inputs]
    y, want = ours(*a), theirs(*b)
    torch.testing.assert_close(y.double(), want, rtol=rtol, atol=1e-5)
    dy = torch.randn_like(y)
    y.backward(dy)
    want.backward(dy.double())
    for mine, true in zip(a, b, strict=True):
        assert (mine.grad - true.grad).norm() <= rtol * true.grad.norm() + 1e-9


def test_linear():
    agrees(functional.linear, F.linear, torch.randn(3, 5, 70), torch.randn(33, 70))


@pytest.mark.parametrize("n", [16, 77])
def test_rms_norm_with_residual(n):
    x, w, r = torch.randn(4, 9, n), torch.randn(n), torch.randn(4, 9, n)
    agrees(
        lambda x, w, r: functional.rms_norm(x, w, 1e-6, r),
        lambda x, w, r: F.rms_norm(x, (n,), w, 1e-6) + r,
        *(x, w, r),
    )


def test_swiglu():
    agrees(
        functional.swiglu, lambda a, b: F.silu(a) * b, torch.randn(7, 45) * 4, torch.randn(7, 45)
    )


def test_rope_turns_and_turns_back():
    angles = torch.randn(2, 9, 12).repeat(1, 1, 2)

    def theirs(x):
        low, high = x.chunk(2, dim=-1)
        c, s = (f(angles.double())[:, :, None] for f in (torch.cos, torch.sin))
        return x * c + torch.cat([-high, low], dim=-1) * s

    agrees(
        lambda x: functional.rope(x, angles.cos(), angles.sin()), theirs, torch.randn(2, 9, 3, 24)
    )


def masked(q, k, v, seen, scale=0.3):
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, 1) for x in (k, v))
    scores = (q @ k.transpose(2, 3) * scale).masked_fill(~seen, -torch.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2)


@pytest.mark.parametrize("tq,tk,window", [(70, 70, None), (70, 70, 19), (40, 90, 33), (5, 60, 20)])
def test_attention_causal_and_windowed(tq, tk, window):
    i, j = torch.arange(tk - tq, tk)[:, None], torch.arange(tk)
    seen = (j <= i) & (j > i - (window or tk))
    inputs = torch.randn(2, 4, tq, 24), torch.randn(2, 2, tk, 24), torch.randn(2, 2, tk, 24)
    agrees(
        lambda q, k, v: attention(q, k, v, scale=0.3, window=window),
        lambda q, k, v: masked(q, k, v, seen),
        *inputs,
    )


def test_attention_within_documents_and_by_mask():
    document = torch.tensor([[0] * 10 + [1] * 30 + [2] * 24, [0] * 64])
    i, j = torch.arange(64)[:, None], torch.arange(64)
    seen = ((j <= i) & (j > i - 20) & (document[:, None, :] == document[:, :, None]))[:, None]
    inputs = [torch.randn(2, 2, 64, 16) for _ in range(3)]
    for runs in (document_runs(document, 20), runs_of_mask(seen)):
        agrees(
            lambda q, k, v, runs=runs: attention(q, k, v, scale=0.3, runs=runs),
            lambda q, k, v: masked(q, k, v, seen),
            *inputs,
        )


def test_a_mask_with_holes_is_refused():
    mask = torch.ones(1, 1, 4, 8, dtype=torch.bool)
    mask[..., 3] = False
    with pytest.raises(ValueError, match="neighbouring keys"):
        runs_of_mask(mask)


def test_a_token_cannot_see_batch_length_cache_or_padding():
    q, k, v = (torch.randn(3, 2, 100, 16) for _ in range(3))
    whole = attention(q, k, v, scale=0.25, window=40)
    short = attention(q[:, :, :61], k[:, :, :61], v[:, :, :61], scale=0.25, window=40)
    assert torch.equal(whole[:, :61], short)
    alone = attention(q[1:2], k[1:2], v[1:2], scale=0.25, window=40)
    assert torch.equal(whole[1:2], alone)
    for t in (0, 3, 99):  # one query at a time, as a cache serves it
        one = attention(
            *(q[:, :, t : t + 1], k[:, :, : t + 1], v[:, :, : t + 1]), scale=0.25, window=40
        )
        assert torch.equal(whole[:, t : t + 1], one)
    start, stop = torch.arange(61).clamp(max=0)[None] + 7, torch.arange(61)[None] + 8
    runs = tuple(x.to(torch.int32) for x in (torch.maximum(start, stop - 40), stop))
    pad = torch.full((3, 2, 7, 16), 5.0)
    padded = [torch.cat([pad, x[:, :, :61]], dim=2) for x in (k, v)]
    assert torch.equal(attention(q[:, :, :61], *padded, scale=0.25, runs=runs), short)


@pytest.mark.parametrize("vocabulary", [16, 333])
def test_cross_entropy_with_z_loss(vocabulary):
    targets = torch.randint(vocabulary, (21,))
    targets[4] = -100

    def theirs(x):
        z = x.logsumexp(-1)[targets != -100].pow(2).sum() * 0.01
        return (F.cross_entropy(x, targets, reduction="sum") + z) / 40

    agrees(
        lambda x: functional.cross_entropy(x, targets, total=40, z_loss=0.01)[0],
        theirs,
        torch.randn(21, vocabulary) * 3,
    )
    loss, entropy, z = functional.cross_entropy(torch.randn(21, vocabulary), targets, z_loss=0.1)
    assert float(loss) == pytest.approx(float(entropy) + float(z))
    with pytest.raises(ValueError, match="outside the vocabulary"):
        functional.cross_entropy(torch.randn(21, 3), torch.full((21,), 3))


def test_token_logprobs():
    targets = torch.randint(50, (4, 7))
    agrees(
        lambda x: functional.token_logprobs(x, targets),
        lambda x: x.log_softmax(-1).gather(-1, targets[..., None])[..., 0],
        torch.randn(4, 7, 50),
    )


def test_embedding_adds_in_order_and_leaves_padding_out():
    ids = torch.randint(11, (3, 40))
    agrees(
        lambda w: functional.embedding(ids, w, 0),
        lambda w: F.embedding(ids, w, padding_idx=0),
        torch.randn(11, 20),
    )


def test_fused_halves_equal_their_parts():
    x, wg, wu, wd = torch.randn(2, 9, 32), *(torch.randn(s) for s in ((48, 32), (48, 32), (32, 48)))
    parts = functional.linear(
        functional.swiglu(functional.linear(x, wg), functional.linear(x, wu)), wd
    )
    assert torch.equal(fused.mlp(x, wg, wu, wd), parts)


@pytest.mark.parametrize("shape", [(24, 40), (40, 24), (70, 70), (100, 130)])
def test_newton_schulz_gives_singular_values_near_one(shape):
    values = torch.linalg.svdvals(optim.orthogonalise(torch.randn(shape)).double())
    assert values.min() > 0.3 and values.max() < 1.3


def test_newton_schulz_is_the_iteration():
    x = torch.randn(60, 90)
    y = x.double() / x.double().norm()
    for _ in range(5):
        gram = y @ y.T
        y = 3.4445 * y + (-4.7750 * gram + 2.0315 * gram @ gram) @ y
    torch.testing.assert_close(optim.orthogonalise(x).double(), y, rtol=0, atol=1e-4)


def test_adamw_is_torchs():
    p, g = torch.randn(1003), torch.randn(1003)
    theirs = nn.Parameter(p.double())
    adam = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    for step in range(1, 6):
        theirs.grad = (g * step).double()
        adam.step()
        optim.adamw_step(p, g * step, m, v, step=step, lr=0.01, betas=(0.9, 0.95), eps=1e-8, wd=0.1)
    torch.testing.assert_close(p.double(), theirs.detach(), rtol=1e-5, atol=1e-6)


def test_gradient_norm_over_shards():
    x = torch.randn(10007) * 1e-3
    whole = optim.grad_norm([x])
    assert whole == pytest.approx(float(x.double().norm()), rel=1e-9)
    shards = x.split([3000, 7, 7000])
    e = optim.exponent_above(max(optim.largest([s]) for s in shards))
    assert optim.root(sum(optim.squares([s], e) for s in shards), e) == whole
    x[5] = torch.nan
    assert optim.grad_norm([x]) != optim.grad_norm([x])
    assert optim.grad_norm([torch.zeros(3)]) == 0.0


def test_other_types_are_not_computed_in_float32():
    a = torch.randn(40, 500, dtype=torch.float64)
    exact = (a[:, :, None] * a.T[None]).sum(1)
    assert (a @ a.T - exact).abs().max() < 1e-11
    assert (a.exp() - a.float().exp()).abs().max() > 0
    assert (a.bfloat16() @ a.bfloat16().T).dtype is torch.bfloat16
    with pytest.raises(TypeError, match="float32 on the CPU"):
        functional.linear(a, a)
    with pytest.raises(NumericsError, match="eager"):
        F.scaled_dot_product_attention(*[torch.randn(1, 1, 8, 8)] * 3)


@pytest.mark.parametrize("call", [
    lambda x: x.sum(), lambda x: x.sum(1, keepdim=True), lambda x: x.mean((0, 2)), lambda x: x.mean(),
    lambda x: x.norm(), lambda x: x.norm(dim=1), lambda x: x.logsumexp(-1), lambda x: x.softmax(1),
    lambda x: x.log_softmax(0), lambda x: x.pow(3), lambda x: (x * x).sqrt(), lambda x: x.abs().pow(0.3),
    lambda x: torch.einsum("ijk,ljk->il", x, x), lambda x: x[0] @ x[0, 0], lambda x: x[0, 0].dot(x[0, 1]),
    lambda x: torch.baddbmm(x[:, :, :5], x, x[:, :3].transpose(1, 2)[:, :, :1].expand(-1, -1, 5)),
    lambda x: x.clone().exp_(), lambda x: x.tanh() + x.sigmoid(), lambda x: x.sin() * x.cos(),
])  # fmt: skip
def test_overridden_operators_and_their_gradients(call):
    agrees(call, call, torch.randn(3, 5, 34))


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_the_model_is_transformers_own(fast, kv_heads):
    """Logits and gradients against the same model in float64, which is torch's arithmetic."""
    from transformers import Olmo3ForCausalLM

    true = Olmo3ForCausalLM._from_config(
        tiny.config(kv_heads), attn_implementation="eager"
    ).double()
    net = tiny.model(kv_heads)
    true.load_state_dict(net.state_dict())
    if fast:
        install(net)
    ids = tiny.tokens(5)
    restart = (torch.arange(tiny.LENGTH) % 20).expand(tiny.ROWS, -1)
    for where in (None, restart):
        results = []
        for m in (net, true):
            m.zero_grad()
            out = m(input_ids=ids, labels=ids, position_ids=where, use_cache=False)
            out.loss.backward()
            results.append((out, {n: p.grad for n, p in m.named_parameters()}))
        (mine, grads), (theirs, wanted) = results
        torch.testing.assert_close(mine.logits.double(), theirs.logits, rtol=1e-4, atol=1e-4)
        for name, want in wanted.items():
            assert (grads[name] - want).norm() <= 1e-4 * want.norm(), name


@pytest.mark.parametrize("fast", [False, True])
def test_logits_do_not_depend_on_batch_prefix_padding_or_cache(fast):
    net = tiny.model().eval()
    if fast:
        install(net)
    ids = tiny.tokens(1)
    with torch.no_grad():
        whole = net(ids).logits
        assert torch.equal(net(ids[2:3]).logits, whole[2:3])
        assert torch.equal(net(ids[:, :19]).logits, whole[:, :19])
        left = torch.cat([torch.zeros(tiny.ROWS, 5, dtype=torch.int64), ids], dim=1)
        mask = (torch.arange(left.shape[1]) >= 5).long().expand_as(left)
        where = (torch.arange(left.shape[1]) - 5).clamp(min=0)[None]
        got = net(left, attention_mask=mask, position_ids=where).logits[:, 5:]
        assert torch.equal(got, whole)
        cache, steps = None, []
        for part in ids.split([17, 1, 1, 13], dim=1):
            out = net(part, past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            steps.append(out.logits)
        assert torch.equal(torch.cat(steps, dim=1), whole)


def test_install_changes_no_weight_and_no_saved_configuration():
    net = tiny.model()
    before, config = (
        {n: p.clone() for n, p in net.state_dict().items()},
        net.config.to_json_string(),
    )
    install(net)
    assert net.config.to_json_string() == config
    assert before.keys() == net.state_dict().keys()
    assert all(torch.equal(before[n], p) for n, p in net.state_dict().items())


def test_install_refuses_what_it_cannot_compute():
    with pytest.raises(TypeError, match="float32"):
        install(tiny.model().double())


def test_threads_do_not_change_training():
    one = tiny.train(threads=1)
    try:
        assert tiny.train(threads=2) == one
    finally:
        activate(1)


def test_the_check_fires_when_an_override_is_lost():
    code = """
from regrow.numerics.torch import selfcheck, switch, activate, aten
activate()
aten.remove()
selfcheck.check()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode and "NumericsError: fma32 is not in force: aten." in done.stderr


def test_activation_is_silent_and_needed_for_install():
    code = """
import warnings; warnings.simplefilter("error")
import tiny_layers as tiny
from regrow.numerics.torch.install import install
net = tiny.model()
try: install(net)
except Exception as error: assert "activate()" in str(error), error
else: raise SystemExit("install without activate")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="tests/support"
    )
    assert done.returncode == 0, done.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        activate()
