"""Scores of items to figures: means, intervals at the edge, paired differences, pass@k."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.evaluate import items, metrics
from regrow.learn.evaluate.bootstrap import MICRO, Score
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.rates import pass_at, powers

outcomes = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=8)


@given(outcomes, st.data())
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_pass(values, data):
    k = data.draw(st.integers(1, len(values)))
    subsets = list(itertools.combinations(values, k))
    assert pass_at(k, values) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="pass@3 of 2"):
        pass_at(3, [1.0, 0.0])


def test_powers():
    assert [powers(n) for n in (1, 2, 5, 8)] == [[1], [1, 2], [1, 2, 4], [1, 2, 4, 8]]


def rows(values, probe="exact_match"):
    return [Item(probe, f"t{i}", "ab"[i % 2], 0, v) for i, v in enumerate(values)]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_a_figure_is_the_mean_and_its_families(values):
    found = metrics.figures(rows(values), 200, 0)["exact_match"]
    assert found["value"] == pytest.approx(sum(values) / len(values), abs=2e-6)
    assert found["low"] <= found["value"] + 1e-6
    assert found["value"] <= found["high"] + 1e-6
    assert found["items"] == len(values) == sum(f["items"] for f in found["families"].values())


@pytest.mark.parametrize(("value", "n"), [(0.0, 10), (1.0, 10), (0.0, 840)])
def test_where_no_resample_can_differ_the_interval_is_wilsons(value, n):
    found = metrics.figures(rows([value] * n), 100, 0)["exact_match"]
    z2 = 1.959963984540054**2
    assert found["value"] == value
    width = z2 / (n + z2)
    assert found["high"] - found["low"] == pytest.approx(width, abs=2e-6)
    # A figure that is no share stays a point.
    found = metrics.figures(rows([value] * n, "tokens"), 100, 0)["tokens"]
    assert found["low"] == found["high"] == value


def test_samples_of_an_item_are_one_item():
    drawn = [
        Item("pass_rate", f"t{i}", "f", k, float(k < i)) for i in range(5) for k in (1, 3, 0, 2)
    ]
    found = metrics.figures(drawn, 100, 0)
    assert found["pass_rate"]["value"] == found["pass@1"]["value"] == pytest.approx(0.5)
    assert found["pass_rate"]["items"] == 5
    assert found["pass@4"]["value"] == pytest.approx(0.8)
    expected = sum(pass_at(2, [1.0] * i + [0.0] * (4 - i)) for i in range(5)) / 5
    assert found["pass@2"]["value"] == pytest.approx(expected, abs=1e-6)
    assert found["pass_rate"]["samples"] == 4


def test_a_paired_difference_takes_shared_items_only():
    before = {("f", "a"): Score(0, 1), ("f", "b"): Score(MICRO, 1), ("f", "c"): Score(0, 1)}
    after = {("f", "a"): Score(MICRO, 1), ("f", "b"): Score(MICRO, 1), ("f", "d"): Score(0, 1)}
    found = items.difference(before, after)
    assert found == {("f", "a"): Score(MICRO, 1), ("f", "b"): Score(0, 1)}
    assert items.figure(found, 100, 0)["value"] == 0.5


def test_pairing_narrows_the_interval():
    """Two checkpoints that fail on the same items: their difference is known better than either."""
    before = items.scores({("f", str(i)): float(i % 2) for i in range(100)})
    after = items.scores({("f", str(i)): float(i % 2 or i % 10 == 0) for i in range(100)})
    paired = items.figure(items.difference(before, after), 1000, 0)
    alone = items.figure(after, 1000, 0)
    assert paired["high"] - paired["low"] < 0.7 * (alone["high"] - alone["low"])
    assert paired["low"] > 0


def test_the_table_comes_back_and_does_not_depend_on_the_order(tmp_path):
    found = rows([0.0, 1.0, 0.25]) + rows([3.0], "tokens")
    items.write(found, tmp_path / "one.parquet")
    items.write(reversed(found), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    back = items.read(tmp_path / "one.parquet")
    assert sorted(back) == ["exact_match", "tokens"]
    assert sorted(row for members in back.values() for row in members) == sorted(found)


def test_unknown_probes_are_named():
    with pytest.raises(KeyError, match="guess"):
        metrics.metric("guess")
    assert metrics.metric("needle_yarn").better == "higher"
    assert "8 tries" in metrics.metric("pass@8").title
