from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.search import draw
from regrow.numerics.random import Stream
from regrow.params.search import Round, Search

NATURAL = {"a": 0.6, "b": 0.25, "c": 0.1, "d": 0.05}
FREE = dict.fromkeys(NATURAL, 1.0)


@pytest.mark.parametrize("alpha", [[5.0, 2.0, 0.5], [0.05, 0.02, 0.4]])
def test_draws_have_the_mean_and_variance_of_the_distribution(alpha: list[float]) -> None:
    found = [draw.dirichlet(alpha, Stream("test", n)) for n in range(250)]
    whole = sum(alpha)
    for i, a in enumerate(alpha):
        mean = math.fsum(row[i] for row in found) / len(found)
        share = a / whole
        variance = share * (1 - share) / (whole + 1)
        assert mean == pytest.approx(share, abs=4 * math.sqrt(variance / len(found)))
        spread = math.fsum((row[i] - share) ** 2 for row in found) / len(found)
        assert spread == pytest.approx(variance, rel=0.35)
    assert all(math.fsum(row) == pytest.approx(1) and min(row) >= 0 for row in found)


def test_the_first_mixture_is_the_natural_one_and_others_are_on_the_grid() -> None:
    search = Search()
    found = draw.mixtures(search, 1, NATURAL, FREE, 12)
    assert found[0] == NATURAL
    for mixture in found[1:]:
        assert sum(mixture.values()) == pytest.approx(1)
        smallest = min(share for share in mixture.values() if share)
        assert smallest >= search.minimum_weight * 0.9
    distinct = {tuple(round(share, 5) for share in mixture.values()) for mixture in found}
    assert len(distinct) == 12


def test_more_proxies_leave_those_before_as_they_are() -> None:
    few, many = (draw.mixtures(Search(), 1, NATURAL, FREE, count) for count in (5, 15))
    assert many[:5] == few
    second = Round(domains=list(NATURAL))
    two = Search(rounds=(second, second))
    assert draw.mixtures(two, 2, NATURAL, FREE, 5)[1:] != few[1:]
    assert draw.mixtures(Search(seed=1), 1, NATURAL, FREE, 5)[1:] != few[1:]


def test_a_round_draws_by_its_own_temperature_and_strength() -> None:
    names = list(NATURAL)
    own = Round(domains=names, temperature=0.1, strength=(50.0, 50.0))
    search = Search(rounds=(Round(domains=names), own))
    assert draw.mixtures(search, 1, NATURAL, FREE, 5) == draw.mixtures(
        Search(), 1, NATURAL, FREE, 5
    )
    second = draw.mixtures(search, 2, NATURAL, FREE, 12)
    assert second[0] == NATURAL  # the natural mix has the natural shares at any temperature
    assert math.fsum(one["d"] for one in second[1:]) / 11 > 3 * NATURAL["d"]


@given(st.floats(0.2, 0.9), st.floats(0.5, 30.0))
@settings(deadline=None, max_examples=15)
def test_no_mixture_reads_more_than_the_supply_allows(cap: float, strength: float) -> None:
    caps = FREE | {"b": max(cap, 0.25)}
    search = Search(strength=(strength, strength * 2))
    for mixture in draw.mixtures(search, 1, NATURAL, caps, 5):
        assert all(share <= caps[name] for name, share in mixture.items())


def test_a_supply_that_allows_nothing_is_named(monkeypatch) -> None:
    monkeypatch.setattr(draw, "TRIES", 40)
    caps = {name: share * 1.0001 for name, share in NATURAL.items()}
    with pytest.raises(
        ValueError, match=r"no mixture for proxy 1 of round 1 in .*of [abcd] at most"
    ):
        draw.mixtures(Search(strength=(0.1, 0.2)), 1, NATURAL, caps, 2)
