from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regrow.data.mix.buckets import cut
from regrow.data.mix.curve import MAX_LAMBDA, POWERS, fit, moment
from regrow.data.mix.quota import wanted
from regrow.data.mix.step import repeats

shares = st.floats(1e-3, 40.0)
cutoffs = st.floats(0.0, 0.95)
widths = st.floats(1e-4, 1.0)
ceilings = st.floats(1.0, 20.0)


def numeric(p: float, rate: float, width: float, n: int = 20_000) -> float:
    """Midpoint rule, to check the series by another way."""
    h = width / n
    return h * math.fsum(((i + 0.5) * h) ** p * math.exp(rate * (i + 0.5) * h) for i in range(n))


@pytest.mark.parametrize("p", [0.0, 0.7, 5.0])
@pytest.mark.parametrize("rate", [0.0, 2.0])
def test_moment_is_the_integral(p: float, rate: float) -> None:
    assert moment(0.6, p, rate) == pytest.approx(numeric(p, rate, 0.6), rel=1e-5)


@given(shares, cutoffs, widths, ceilings)
@example(4.2, 0.40, 0.05, 7.0)
@settings(deadline=None)
def test_integral_ceiling_and_shape(
    share: float, cutoff: float, width: float, ceiling: float
) -> None:
    curve = fit(share, cutoff, width, ceiling)
    top = curve.mean(1.0 - width, 1.0)
    assert curve.integral(0.0, cutoff) == 0.0
    assert 0.0 <= curve.rate <= MAX_LAMBDA and curve.p in POWERS
    assert top <= ceiling * (1 + 1e-9)
    if curve.feasible:
        assert curve.integral(0.0, 1.0) == pytest.approx(share, rel=1e-9)
    else:
        assert curve.integral(0.0, 1.0) < share
        assert top == pytest.approx(ceiling, rel=1e-9)
    edges = [cutoff + (1 - cutoff) * i / 7 for i in range(8)]
    rates = [curve.mean(a, b) for a, b in itertools.pairwise(edges)]
    assert all(a <= b * (1 + 1e-9) for a, b in itertools.pairwise(rates))


@given(st.floats(0.05, 4.0))
@settings(deadline=None, max_examples=40)
def test_no_steeper_curve_of_the_grid_would_fit(share: float) -> None:
    curve = fit(share, 0.40, 0.05, 7.0)

    def top(p: float, rate: float) -> float:
        return share * (1 - moment(0.55, p, rate) / moment(0.6, p, rate)) / 0.05

    steeper = [p for p in POWERS if p > curve.p]
    assert all(top(p, 0.0) > 7.0 for p in steeper)
    if curve.rate < MAX_LAMBDA:
        assert top(curve.p, curve.rate + 1e-6) > 7.0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10_000)), min_size=1, max_size=60),
    st.integers(1, 30),
)
@settings(deadline=None)
def test_buckets_tile_and_promise_the_tokens(
    documents: list[tuple[float, int]], number: int
) -> None:
    ids = [f"{i:03d}" for i in range(len(documents))]
    quality, sizes = [q for q, _ in documents], [s for _, s in documents]
    percentiles, buckets = cut(ids, quality, sizes, number)
    assert sorted(i for b in buckets for i in b.members) == list(range(len(ids)))
    assert buckets[0].start == 0.0 and buckets[-1].end == 1.0
    assert all(a.end == b.start for a, b in itertools.pairwise(buckets))
    for bucket in buckets:
        for i in bucket.members:
            assert bucket.number == min(number - 1, math.floor(number * percentiles[i] + 1e-12))
    order = sorted(range(len(ids)), key=lambda i: percentiles[i])
    assert [quality[i] for i in order] == sorted(quality)
    # The rates' sum over all bytes is what the curve promised, however large the documents.
    curve = fit(0.3, 0.4, buckets[-1].end - buckets[-1].start, 7.0)
    total = sum(sizes[i] * curve.mean(b.start, b.end) for b in buckets for i in b.members)
    assert total == pytest.approx(0.3 * sum(sizes), rel=1e-6)


@given(st.floats(0.0, 7.0), st.integers(0, 1 << 30))
@settings(deadline=None, max_examples=30)
def test_repeats_are_the_rate_on_average(rate: float, seed: int) -> None:
    drawn = [repeats(rate, seed, f"doc{i}") for i in range(400)]
    assert set(drawn) <= {math.floor(rate), math.floor(rate) + 1}
    sigma = math.sqrt(0.25 / 400)
    assert abs(sum(drawn) / 400 - rate) < 6 * sigma


def test_repeats_of_one_document_do_not_depend_on_others() -> None:
    assert [repeats(0.5, 3, i) for i in "abcdef"] == [repeats(0.5, 3, i) for i in "fedcba"][::-1]
    assert len({repeats(0.5, 3, str(i)) for i in range(64)}) == 2


def test_wanted_tokens() -> None:
    have = {"a": 100.0, "b": 300.0, "c": 600.0}
    assert wanted(1000, have, {}) == pytest.approx(have)
    assert wanted(1000, have, {"a": 0.5}) == pytest.approx({"a": 500, "b": 1000 / 6, "c": 1000 / 3})
    # A weight whose topic has no document goes to the others.
    assert wanted(1000, have, {"a": 0.25, "x": 0.5}) == pytest.approx(
        {"a": 500, "b": 500 / 3, "c": 1000 / 3}
    )
    assert wanted(1000, have, {"a": 0.1, "b": 0.1, "c": 0.2}) == pytest.approx(
        {"a": 250, "b": 250, "c": 500}
    )
    assert wanted(1000, have, {"a": 1.0}) == {"a": 1000.0, "b": 0.0, "c": 0.0}
    with pytest.raises(ValueError, match=r"topic_weights: the shares sum to 1\.2"):
        wanted(1000, have, {"a": 0.6, "b": 0.6})
    with pytest.raises(ValueError, match=r"topic_weights\.a: must not be negative"):
        wanted(1000, have, {"a": -0.1})
