"""The sampler against full forward passes and against its own promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.model.build import empty, initialise
from regrow.model.config import olmo3_config
from regrow.numerics import exact
from regrow.numerics import torch as numerics
from regrow.numerics.torch import functional
from regrow.numerics.torch.install import install
from regrow.params.model import Model
from regrow.rollout.cache import PositionCache, masks
from regrow.rollout.sampler import Request, choose, sample

VOCABULARY, EOS = 384, 1


def build():
    numerics.activate()
    shape = Model(hidden=64, layers=4, heads=4, kv_heads=2, ffn=96, sliding_window=16, context=64)
    built = empty(olmo3_config(shape, vocabulary=VOCABULARY, eos=EOS, pad=0))
    initialise(built, 7)
    with torch.no_grad():  # larger weights, so that logits differ well between tokens
        for weight in built.parameters():
            weight.mul_(3.0)
    return built.eval()


@pytest.fixture(scope="module")
def plain():
    """transformers' own modules and eager attention, over the exact operators."""
    return build()


@pytest.fixture(scope="module")
def model():
    """The same weights with the fused operators."""
    return install(build())


def requests(*lengths, name="test"):
    rng = np.random.default_rng(3)
    return [
        Request(prompt=rng.integers(2, VOCABULARY, n).tolist(), name=(name, i))
        for i, n in enumerate(lengths)
    ]


@torch.no_grad()
def teacher(model, rollout):
    """Log-probabilities of the drawn tokens from one forward pass over the whole text."""
    ids = rollout.prompt + rollout.tokens
    logits = model(input_ids=torch.tensor([ids])).logits[0]
    first = len(rollout.prompt)
    return functional.token_logprobs(logits[first - 1 : -1], torch.tensor(rollout.tokens)).tolist()


@pytest.mark.parametrize("lengths", [(1,), (3, 9), (2, 17, 30, 5), (40, 40, 1)])
def test_cached_logprobs_are_bit_equal_to_a_full_forward(model, plain, lengths):
    # The fused operators and transformers' own order their sums differently: each with itself.
    for built in (model, plain):
        for rollout in sample(built, requests(*lengths), max_new_tokens=20, temperature=1.0):
            assert len(rollout.tokens) == 20
            difference = np.array(rollout.logprobs) - np.array(teacher(built, rollout))
            assert np.abs(difference).max() == 0.0


def test_logprobs_are_those_of_a_float64_softmax(model):
    (rollout,) = sample(model, requests(5), max_new_tokens=20, temperature=1.0)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([rollout.prompt + rollout.tokens])).logits[0]
    expected = torch.log_softmax(logits.double(), -1)[range(4, 24), rollout.tokens]
    assert rollout.logprobs == pytest.approx(expected.tolist(), abs=2e-6)


def test_a_row_does_not_depend_on_the_rows_beside_it(model):
    together = sample(model, requests(4, 11, 23), max_new_tokens=12, temperature=0.7)
    for i, request in enumerate(requests(4, 11, 23)):
        (alone,) = sample(model, [request], max_new_tokens=12, temperature=0.7)
        assert (alone.tokens, alone.logprobs) == (together[i].tokens, together[i].logprobs)


def test_names_make_the_draws(model):
    prompt = requests(5)[0].prompt
    rows = [Request(prompt=prompt, name=("a", i)) for i in range(4)] + [
        Request(prompt=prompt, name=("a", 0))
    ]
    texts = [tuple(r.tokens) for r in sample(model, rows, max_new_tokens=16, temperature=1.0)]
    assert texts[0] == texts[4]
    assert len(set(texts[:4])) == 4


def test_greedy_is_the_argmax_of_the_full_forward(model):
    (rollout,) = sample(model, requests(6), max_new_tokens=8, temperature=0)
    ids = list(rollout.prompt)
    for token in rollout.tokens:
        with torch.no_grad():
            ids_logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        assert token == int(ids_logits.argmax())
        ids.append(token)


def test_stops_at_the_end_token_and_at_the_context(model):
    (free,) = sample(model, requests(6), max_new_tokens=12, temperature=1.0)
    stop = free.tokens[4]
    (stopped,) = sample(model, requests(6), max_new_tokens=12, temperature=1.0, end_tokens=[stop])
    assert stopped.ended and stopped.tokens == free.tokens[: free.tokens.index(stop) + 1]
    (full,) = sample(model, requests(60), max_new_tokens=50, temperature=1.0)
    assert len(full.prompt) + len(full.tokens) == 64 and not full.ended


@pytest.mark.parametrize("length", [0, 64, 100])
def test_prompts_that_do_not_fit_are_refused(model, length):
    with pytest.raises(ValueError, match="needs 1 to 63"):
        sample(model, requests(length), max_new_tokens=2, temperature=1.0)


def test_no_requests_and_no_tokens(model):
    assert sample(model, [], max_new_tokens=3, temperature=1.0) == []
    (rollout,) = sample(model, requests(4), max_new_tokens=0, temperature=1.0)
    assert rollout.tokens == []


def test_masks_equal_those_of_transformers(plain):
    from transformers.masking_utils import create_causal_mask, create_sliding_window_causal_mask

    common = dict(
        config=plain.config,
        inputs_embeds=torch.zeros(1, 40, 64),
        attention_mask=None,
        past_key_values=None,
        position_ids=torch.arange(40).unsqueeze(0),
    )
    ours = masks(0, 40, 40, plain.config.sliding_window, torch.float32)
    assert torch.equal(ours["full_attention"], create_causal_mask(**common))
    assert torch.equal(ours["sliding_attention"], create_sliding_window_causal_mask(**common))
    later = masks(30, 5, 48, plain.config.sliding_window, torch.float32)
    assert torch.equal(
        later["sliding_attention"][..., :40], ours["sliding_attention"][..., 30:35, :]
    )
    assert (later["full_attention"][..., 40:] < -1e38).all()


def test_cache_refuses_to_overflow():
    cache = PositionCache(1, 4)
    with pytest.raises(ValueError, match="cannot hold position 4"):
        cache.update(torch.zeros(1, 1, 5, 2), torch.zeros(1, 1, 5, 2), 0)


@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=40),
    st.floats(0.1, 3.0),
    st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=80, deadline=None)
def test_choose_inverts_the_distribution_function(values, temperature, uniform):
    logits = np.array([values], dtype=np.float32)
    token = int(choose(logits, temperature, np.array([uniform]))[0])
    weights = exact.exp((logits[0].astype(np.float64) - logits.max()) / temperature)
    before, total = float(np.cumsum(weights)[token] - weights[token]), float(weights.sum())
    assert before <= uniform * total * (1 + 1e-9) + 1e-12
    assert uniform * total <= (before + weights[token]) * (1 + 1e-9)
    assert weights[token] > 0


def test_choose_draws_with_the_right_frequencies():
    logits = np.log(np.array([[0.5, 0.25, 0.15, 0.1]], dtype=np.float32))
    uniforms = (np.arange(20_000) + 0.5) / 20_000
    drawn = choose(np.repeat(logits, 20_000, axis=0), 1.0, uniforms)
    share = np.bincount(drawn, minlength=4) / 20_000
    assert np.abs(share - [0.5, 0.25, 0.15, 0.1]).max() < 2e-4


def test_draws_at_the_upper_edge_have_weight():
    logits = np.array([[0.0, 0.0, -1e30, -1e30]], dtype=np.float32)
    assert choose(logits, 1.0, np.array([1.0 - 2.0**-53]))[0] == 1
