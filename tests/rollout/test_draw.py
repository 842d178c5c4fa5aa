"""The draw against its definition in numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.rollout import draw
from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.numerics.torch import functional


def reference(logits, temperature, uniforms):
    """The definition, one numpy operation at a time."""
    if temperature == 0:
        return np.argmax(logits, axis=1)
    scores = logits.astype(np.float64)
    scores = (scores - scores.max(axis=1, keepdims=True)) / temperature
    running = np.add.accumulate(exact.exp(scores), axis=1)
    total = running[:, -1]
    target = np.minimum(uniforms * total, np.nextafter(total, 0.0))
    return np.argmax(running > target[:, None], axis=1)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_tokens_are_those_of_the_definition(data):
    n = data.draw(st.sampled_from([1, 2, 7, 8, 15, 16, 17, 40, 257]))
    spread = data.draw(st.sampled_from([1e-3, 1.0, 20.0, 400.0, 1e30]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    logits = (rng.standard_normal((5, n)) * spread).astype(np.float32)
    temperature = data.draw(st.sampled_from([0.0, 0.3, 1.0, 2.5]))
    uniforms = np.array([0.0, 1 - 2.0**-53, *rng.random(3)])
    tokens, logprobs = draw.choose(logits, temperature, uniforms)
    assert tokens.tolist() == reference(logits, temperature, uniforms).tolist()
    expected = functional.token_logprobs(torch.from_numpy(logits), torch.from_numpy(tokens))
    assert logprobs.tolist() == expected.tolist()


def test_running_sums_have_the_bits_of_the_definition():
    """Uniforms right at the steps of the distribution function tell any other last bit."""
    logits = np.repeat((np.random.default_rng(1).standard_normal(300) * 5)[None], 598, 0)
    logits = logits.astype(np.float32)
    weights = exact.exp(logits[0].astype(np.float64) - logits[0].max())
    running = np.add.accumulate(weights)
    edges = running[:-1] / running[-1]
    uniforms = np.concatenate([edges, np.nextafter(edges, 0.0)])
    tokens, _ = draw.choose(logits, 1.0, uniforms)
    assert tokens.tolist() == reference(logits, 1.0, uniforms).tolist()


def test_draws_have_the_right_frequencies():
    logits = np.log(np.array([[0.5, 0.25, 0.15, 0.1]], dtype=np.float32))
    uniforms = (np.arange(20_000) + 0.5) / 20_000
    drawn, _ = draw.choose(np.repeat(logits, 20_000, axis=0), 1.0, uniforms)
    share = np.bincount(drawn, minlength=4) / 20_000
    assert np.abs(share - [0.5, 0.25, 0.15, 0.1]).max() < 2e-4


def test_draws_at_the_upper_edge_have_weight():
    logits = np.array([[0.0, 0.0, -1e30, -1e30]], dtype=np.float32)
    assert draw.choose(logits, 1.0, np.array([1.0 - 2.0**-53]))[0] == 1


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=6))
def test_uniforms_are_elements_of_the_stream(at):
    streams = [Stream("draw", i) for i in range(len(at))]
    names = np.array([s.words for s in streams], dtype=np.uint32)
    found = draw.uniforms(names, np.array(at, dtype=np.int64))
    assert found.tolist() == [s.uniform(1, start=a)[0] for s, a in zip(streams, at, strict=True)]


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1.0])
@pytest.mark.parametrize("n", [1, 7, 16, 20, 257])
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_one_logit_that_is_no_number_is_refused_wherever_it_is(temperature, n, odd):
    rng = np.random.default_rng(n)
    for at in sorted({0, n // 2, n - 1}):
        for base in (rng.standard_normal(n), np.full(n, -np.inf)):
            logits = np.stack([np.zeros(n), base, np.zeros(n)]).astype(np.float32)
            logits[1, at] = odd
            with pytest.raises(FloatingPointError):
                draw.choose(logits, temperature, np.array([0.5, 0.5, 0.5]))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_of_minus_infinity_are_never_drawn_and_never_all(temperature):
    logits = np.full((1, 40), -np.inf, dtype=np.float32)
    with pytest.raises(FloatingPointError):
        draw.choose(logits, temperature, np.array([0.5]))
    logits[0, 33] = -1e38
    tokens, logprobs = draw.choose(logits, temperature, np.array([0.5]))
    assert (tokens[0], logprobs[0]) == (33, 0.0)


@pytest.mark.parametrize("temperature", [-1.0, -1e-300, np.nan, np.inf, -np.inf])
def test_temperatures_that_mean_nothing_are_refused(temperature):
    logits = np.zeros((1, 20), dtype=np.float32)
    with pytest.raises(ValueError, match="must be a number"):
        draw.choose(logits, temperature, np.array([0.5]))
