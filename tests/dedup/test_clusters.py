"""Union-find, versions, and which document of a cluster stays."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.dedup import holdout
from regrow.data.dedup.clusters import UnionFind, preference, version

PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20)


@given(PAIRS, st.integers(0, 9))
def test_union_find_gives_connected_components_in_any_order(pairs, seed):
    one, two = UnionFind(15), UnionFind(15)
    shuffled = pairs[:]
    random.Random(seed).shuffle(shuffled)
    for a, b in pairs:
        one.join(a, b)
    for a, b in shuffled:
        two.join(b, a)
    assert one.sets() == two.sets()
    members = [m for group in one.sets() for m in group]
    assert len(members) == len(set(members))
    for a, b in pairs:
        assert one.find(a) == one.find(b)
    assert all(one.find(m) == min(group) for group in one.sets() for m in group)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlalchemy-2.0.36", (2, 0, 36)),
        ("en/14/orm/session.html", (14,)),
        ("v1.10/page", (1, 10)),
        ("boost_1_74/doc", (1, 74)),
        ("shakespeare", ()),
        ("", ()),
        ("page12.html", ()),
    ],
)
def test_version(text, expected):
    assert version(text) == expected


def test_the_newest_stays_then_the_shortest_then_the_first_url():
    order = [
        ("http://a/2.0.36/x.html", "s-2.0.36", "9"),
        ("http://a/2.0.9/x.html", "s-2.0.9", "1"),
        ("http://a/2.0/x.html", "s-2.0", "1"),
        ("http://a/x.html", "s", "1"),
        ("http://b/x.html", "s", "1"),
        ("http://a/copy/x.html", "s", "0"),
        ("http://a/copy/x.html", "s", "1"),
    ]
    shuffled = order[:]
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=lambda d: preference(*d)) == order


@pytest.mark.parametrize(
    "text",
    [
        "http://h/a/" + "9" * 4_400 + "/x",
        "s-" + "1." * 3_000 + "0",
        "s-1." + "7" * 5_000,
        "v" + "0" * 9_999,
    ],
)
def test_a_version_of_absurd_length_ends_nothing(text):
    """Python refuses to read integers of more than 4,300 digits."""
    assert all(0 <= number <= 10**18 for number in version(text))
    assert isinstance(preference(text, text, "i"), tuple)
    assert holdout.group(text, "d").startswith("d/")
    assert holdout.domain(text, text, {})


def test_large_versions_are_still_in_order():
    assert version("http://h/20241231235959/x") > version("http://h/20231231235959/x")
    assert version("s-" + "9" * 30 + ".1") == (10**18, 1)
    assert version("s-007.08") == (7, 8)


def test_an_absurd_address_is_grouped_in_a_moment():
    """The patterns cost the square of a run of digits."""
    start = time.process_time()
    holdout.group("http://h/" + "1.2" * 200_000, "d")
    assert time.process_time() - start < 5
