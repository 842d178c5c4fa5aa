from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.search import law, optimum, rank


def _planted(seed: int, count: int, domains: int, noise: float = 0.0):
    """Mixtures, bits per byte by a law of the kind that is fitted, and the law."""
    drawn = random.Random(seed)
    slopes = [drawn.uniform(-1.5, 0.8) for _ in range(domains)]
    planted = law.Law("log_linear", -0.4, slopes)
    rows = []
    for _ in range(count):
        parts = [drawn.gammavariate(0.7, 1) + 1e-9 for _ in range(domains)]
        rows.append([part / sum(parts) for part in parts])
    return rows, [planted.predict(row) + drawn.gauss(0, noise) for row in rows], planted


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_law_is_found(seed: int) -> None:
    rows, values, planted = _planted(seed, 24, 4)
    found = law.log_linear(rows, values)
    unseen, _, _ = _planted(seed + 100, 20, 4)
    errors = [abs(found.predict(row) - planted.predict(row)) for row in unseen]
    assert max(errors) < 0.01, errors
    spread = np.std([planted.predict(row) for row in unseen])
    assert max(errors) < 0.1 * spread


def test_noise_and_an_outlier_move_the_law_little() -> None:
    rows, values, planted = _planted(7, 40, 4, noise=0.005)
    values[3] += 1.0
    found = law.log_linear(rows, values)
    others = [row for i, row in enumerate(rows) if i != 3]
    assert max(abs(found.predict(row) - planted.predict(row)) for row in others) < 0.06
    plain = law.linear(rows, values)
    assert max(abs(plain.predict(row) - planted.predict(row)) for row in others) > 0.06


def test_a_domain_in_no_proxy_gets_a_law_all_the_same() -> None:
    rows, values, _ = _planted(1, 12, 3)
    found = law.log_linear([[*row, 0.0] for row in rows], values)
    assert all(math.isfinite(t) for t in found.t)
    assert min(found.t[:3]) - 0.5 <= found.t[3] <= max(found.t[:3]) + 0.5


def test_equal_values_give_a_flat_law() -> None:
    rows, _, _ = _planted(1, 8, 3)
    found = law.log_linear(rows, [2.0] * 8)
    assert [found.predict(row) for row in rows] == pytest.approx([2.0] * 8, abs=1e-3)


def test_values_that_are_no_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        law.log_linear([[1.0], [1.0]], [0.0, 1.0])


def test_solve_solves() -> None:
    numbers = np.random.default_rng(1).normal(size=(6, 6))
    matrix, right = numbers @ numbers.T + np.eye(6), np.arange(6.0)
    found = law.solve(matrix.tolist(), right.tolist())
    assert matrix @ np.array(found) == pytest.approx(right, abs=1e-9)
    with pytest.raises(ValueError, match="definite"):
        law.solve([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0])


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.05, 0.5]))
@settings(deadline=None, max_examples=12)
def test_the_optimum_is_a_mixture_within_the_limits_and_none_is_better(
    seed: int, divergence: float
) -> None:
    drawn = random.Random(seed)
    count = drawn.randrange(2, 7)
    laws = [
        law.Law("log_linear", drawn.uniform(-1, 0), [drawn.uniform(-2, 1) for _ in range(count)])
        for _ in range(3)
    ]
    weights, natural = [0.5, 0.25, 0.25], _mixture(drawn, count)
    caps = [drawn.uniform(1.01 / count, 2 / count) for _ in range(count)]
    found = optimum.optimum(laws, weights, natural, caps, divergence)
    assert math.fsum(found.shares) == pytest.approx(1, abs=1e-12)
    assert all(0 <= s <= c + 1e-12 for s, c in zip(found.shares, caps, strict=True))
    # Near the optimum a step changes the value by less than float64 can say, and the descent ends with a larger gap.
    assert 0 <= found.gap <= 1e-6

    def value(x: list[float]) -> float:
        kl = sum(a * math.log(a / q) for a, q in zip(x, natural, strict=True) if a > 0)
        return (
            sum(w * one.predict(x) for w, one in zip(weights, laws, strict=True)) + divergence * kl
        )

    assert found.value == pytest.approx(value(found.shares), abs=1e-12)
    for _ in range(60):
        other = optimum.capped(_mixture(drawn, count), caps)
        assert value(other) >= found.value - found.gap - 1e-12


def _mixture(drawn: random.Random, count: int) -> list[float]:
    parts = [drawn.gammavariate(0.8, 1) + 1e-6 for _ in range(count)]
    return [part / sum(parts) for part in parts]


def test_a_high_price_of_divergence_keeps_the_natural_mix() -> None:
    laws = [law.Law("log_linear", -1.0, [-2.0, 1.0, 0.0])]
    natural = [0.2, 0.5, 0.3]
    found = optimum.optimum(laws, [1.0], natural, [1.0] * 3, 1e3)
    assert found.shares == pytest.approx(natural, abs=1e-3)


def test_limits_that_leave_no_whole_are_named() -> None:
    with pytest.raises(ValueError, match=r"fill 0\.900 of the mix"):
        optimum.optimum([law.Law("linear", 0.0, [1.0, 2.0])], [1.0], [0.5, 0.5], [0.5, 0.4], 0.0)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_decimals_sum_to_one_under_the_limits(seed: int) -> None:
    drawn = random.Random(seed)
    count = drawn.randrange(1, 9)
    caps = [drawn.uniform(1.2 / count, 3 / count) for _ in range(count)]
    shares = optimum.capped(_mixture(drawn, count), caps)
    found = optimum.decimals(shares, caps)
    assert sum(round(share * 10_000) for share in found) == 10_000
    assert all(round(s, 4) == s and s <= c for s, c in zip(found, caps, strict=True))
    assert max(abs(a - b) for a, b in zip(found, shares, strict=True)) < count * 1e-4


def test_rank_correlation_knows_ties() -> None:
    assert rank.spearman([(1.0, 10.0), (2.0, 20.0), (3.0, 15.0)]) == pytest.approx(0.5)
    assert rank.ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]
    assert rank.spearman([(1.0, 2.0), (1.0, 3.0)]) is None
    assert rank.worth([]) == {
        "proxies": 0,
        "rank": None,
        "error": None,
        "largest": None,
        "r2": None,
    }
    said = rank.worth([(1.0, 1.1), (2.0, 1.9), (3.0, 3.0)])
    assert said["rank"] == pytest.approx(1.0) and said["error"] == pytest.approx(0.2 / 3)
