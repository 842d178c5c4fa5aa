"""Which prompt stands where: shares, epochs, errors."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.rl.order import Pools
from regrow.learn.rl.prompts import Prompt


def prompts(**counts):
    return [
        Prompt(f"{family}{i}", family, "math", "?", [3], "exact", "{}")
        for family, count in counts.items()
        for i in range(count)
    ]


def test_without_shares_an_epoch_holds_every_prompt_once():
    known = prompts(a=7, b=3)
    pools = Pools(known, {}, "key")
    first, second = ([pools.at(i + 10 * e).task for i in range(10)] for e in (0, 1))
    assert sorted(first) == sorted(second) == sorted(p.task for p in known)
    assert first != second
    assert [Pools(known, {}, "other").at(i).task for i in range(10)] != first


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 30), min_size=1), st.integers(1, 200)
)
@settings(max_examples=60, deadline=None)
def test_shares_are_kept_at_every_length(weights, length):
    total = sum(weights.values()) + 20
    shares = {name: weight / total for name, weight in weights.items()}
    pools = Pools(prompts(a=3, b=5, c=2, d=9, e=4, f=1), shares, "key")
    found = Counter(pools.at(i).family for i in range(length))
    for name, share in shares.items():
        assert abs(found[name] - share * length) <= len(shares) + 1
    if length > 60 and found["e"] + found["f"] > 20:
        assert found["f"] < found["e"]  # the others share the rest by their number


def test_a_position_does_not_depend_on_what_was_asked_before():
    shares = {"a": 0.3}
    once = [Pools(prompts(a=4, b=6), shares, "key").at(i).task for i in range(40)]
    assert Pools(prompts(a=4, b=6), shares, "key").at(37).task == once[37]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"x": 0.5}, "no prompt of x"),
        ({"a": 0.7, "b": 0.6}, "sum to at most 1"),
        ({"a": 0.0}, "must be positive"),
        ({"a": 1.0}, "leave nothing for the other families"),
        ({"a": 0.4, "b": 0.4}, "sum to less than 1"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        Pools(prompts(a=2, b=2), shares, "key")


def test_shares_may_fill_everything():
    pools = Pools(prompts(a=2, b=2), {"a": 0.1, "b": 0.9}, "key")
    assert Counter(pools.at(i).family for i in range(100)) == {"a": 10, "b": 90}
