"""Odds, draw and distance: the pure parts of verification by segments."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from fractions import Fraction

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regrow.prove.segments import odds, ulps
from regrow.prove.segments.draw import comb, draw, fresh_seed


@st.composite
def samples(drawing: st.DrawFn) -> tuple[int, int, int]:
    population = drawing(st.integers(1, 400))
    return (
        population,
        drawing(st.integers(0, population)),
        drawing(st.integers(0, population)),
    )


@given(samples())
def test_the_odds_are_those_of_the_hypergeometric_distribution(
    sample: tuple[int, int, int],
) -> None:
    population, wrong, drawn = sample
    missed = Fraction(math.comb(population - wrong, drawn), math.comb(population, drawn))
    assert odds.odds(population, wrong, drawn) == pytest.approx(float(1 - missed), abs=1e-12)


@given(st.integers(1, 300), st.floats(0.001, 1), st.floats(0.01, 1))
def test_no_fewer_would_do(population: int, share: float, wanted: float) -> None:
    wrong = odds.forged(population, share)
    count = odds.needed(population, wrong, wanted)
    assert odds.odds(population, wrong, count) >= wanted
    assert count == 1 or odds.odds(population, wrong, count - 1) < wanted


def test_a_share_is_never_rounded_to_nothing_nor_by_floats() -> None:
    assert odds.forged(15, 0.05) == 1
    assert odds.forged(100, 0.07) == 7  # 100 * 0.07 is 7.000000000000001
    assert odds.forged(3, 1) == 3
    for share in (0, -0.1, 1.01, math.nan):
        with pytest.raises(ValueError, match="share"):
            odds.forged(10, share)
    with pytest.raises(ValueError, match="odds"):
        odds.needed(10, 1, 1.5)


def test_how_long_a_run_must_be_for_a_verification_of_one_percent() -> None:
    """No sample of 1 % of fewer units has these odds, however the states are stored."""
    size = odds.population_for(0.01, 0.05, 0.99)
    assert size == 9000
    assert odds.needed(size, size // 20, 0.99) <= size // 100
    for fewer in range(20, size, 20):
        assert odds.needed(fewer, fewer // 20, 0.99) > 0.01 * fewer
    assert odds.odds(2912, 146, 29) < 0.8


NAMES = [f"pretrain.{step:06d}" for step in range(10, 210, 10)]


def test_a_draw_can_be_repeated_and_its_seed_and_run_change_it() -> None:
    first = draw(NAMES, 5, checkpoint="aa", seed="1")
    assert first == sorted(set(first)) and len(first) == 5
    assert draw(NAMES, 5, checkpoint="aa", seed="1") == first
    assert draw(NAMES, 5, checkpoint="aa", seed="2") != first
    assert draw(NAMES, 5, checkpoint="ab", seed="1") != first
    assert draw(NAMES, 99, checkpoint="aa", seed="1") == list(range(20))
    assert fresh_seed() != fresh_seed()


def test_a_larger_draw_holds_the_smaller_one() -> None:
    """So a verifier who goes on after a few segments does not begin anew."""
    for count in range(1, 20):
        less, more = (set(draw(NAMES, n, checkpoint="c", seed="s")) for n in (count, count + 1))
        assert less < more


def test_every_unit_is_drawn_alike() -> None:
    trials, count = 1500, 5
    hits = [0] * len(NAMES)
    for trial in range(trials):
        for index in draw(NAMES, count, checkpoint="c", seed=str(trial)):
            hits[index] += 1
    share = count / len(NAMES)
    sigma = math.sqrt(trials * share * (1 - share))
    assert max(abs(hit - trials * share) for hit in hits) < 4 * sigma


def test_a_draw_depends_on_no_process() -> None:
    code = (
        "from regrow.prove.segments.draw import draw;"
        f"print(draw({NAMES!r}, 6, checkpoint='c', seed='s'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": lang},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone, lang, cwd in (("1", "UTC", "C", "/"), ("77", "Asia/Tokyo", "tr_TR", "/tmp"))
    }
    assert len(outputs) == 1


@given(st.integers(1, 300), st.floats(0.01, 1), st.data())
def test_no_stretch_slips_through_the_comb(
    population: int, share: float, drawing: st.DataObject
) -> None:
    wrong = odds.forged(population, share)
    seed = str(drawing.draw(st.integers(0, 99)))
    teeth = comb(population, wrong, checkpoint="c", seed=seed)
    assert len(teeth) <= math.ceil(population / wrong)
    begin = drawing.draw(st.integers(0, population - wrong))
    assert set(teeth) & set(range(begin, begin + wrong))


def test_a_scattered_forgery_is_caught_by_the_comb_as_often_as_stated_and_not_more() -> None:
    """The worst one: as many units as possible at the distance of the teeth."""
    population, wrong = 240, 12
    by_remainder = sorted(range(population), key=lambda unit: (unit % wrong, unit))
    forged = set(by_remainder[:wrong])
    starts = [set(range(start, population, wrong)) for start in range(wrong)]
    caught = sum(bool(forged & teeth) for teeth in starts) / wrong
    assert caught == odds.comb_odds(population, wrong, wrong) == 1 / 12
    assert len({comb(population, wrong, checkpoint="c", seed=str(n))[0] for n in range(200)}) == 12
    assert odds.comb_odds(2932, 147, 147) == 8 / 147 and odds.comb_odds(11, 1, 1) == 1.0


floats = st.floats(width=32, allow_nan=False)


@given(floats, floats)
def test_the_order_of_bits_is_the_order_of_floats(a: float, b: float) -> None:
    one, two = (int(ulps.ordered(torch.tensor(value))) for value in (a, b))
    if a != b:
        assert (one < two) == (a < b)
    else:
        assert abs(one - two) == (math.copysign(1, a) != math.copysign(1, b))


@settings(max_examples=60)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 40))
def test_the_distance_counts_the_floats_between(value: float, steps: int) -> None:
    start = torch.tensor([0.5, value, -3.0])
    end = start.clone()
    for _ in range(steps):
        end[1] = torch.nextafter(end[1], torch.tensor(math.inf))
    assume(math.isfinite(float(end[1])))  # behind the largest number there is only one float more
    found = ulps.apart("w", start, end)
    assert found is not None and found.first is not None
    assert found.elements == 1 and found.of == 3 and found.first.index == [1]
    # Zero has two representations, so a way across it is one longer in bits than in values.
    across = math.copysign(1, value) < 0 < math.copysign(1, float(end[1]))
    assert found.first.ulps == steps + across
    assert ulps.apart("w", end, start).first.ulps == found.first.ulps  # type: ignore[union-attr]


def test_what_is_no_distance_is_still_a_difference() -> None:
    nan = torch.tensor([[1.0, math.nan], [2.0, 3.0]])
    assert ulps.apart("w", nan, nan.clone()) is None
    found = ulps.apart("w", nan, torch.tensor([[1.0, 5.0], [2.0, 4.0]]))
    assert found is not None and found.first is not None and found.furthest is not None
    assert (found.first.index, found.first.ulps) == ([0, 1], None)
    assert found.furthest.index == [1, 1] and found.furthest.ulps == 1 << 22
    assert ulps.apart("w", torch.zeros(2), torch.zeros(3)).first is None  # type: ignore[union-attr]
    assert ulps.apart("w", torch.zeros(2), -torch.zeros(2)).first.ulps == 1  # type: ignore[union-attr]
    whole = ulps.apart("w", torch.tensor([1, 2]), torch.tensor([1, 3]))
    assert whole is not None and whole.first is not None and whole.first.index == [1]
