"""Union-find, versions, and which document of a cluster stays."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.dedup.clusters import UnionFind, preference, version

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
