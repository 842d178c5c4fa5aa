from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.data.mix import linear, measure
from regrow.data.mix.features import Hasher, fnv1a
from regrow.data.mix.seeds import Prefixes, split


def test_fnv1a_has_the_published_values() -> None:
    # Test vectors of the FNV-1a reference (32 bits).
    assert fnv1a("") == 0x811C9DC5
    assert fnv1a("a") == 0xE40C292C
    assert fnv1a("foobar") == 0xBF9CF968


@given(st.text(max_size=200))
@settings(deadline=None)
def test_bags_have_unit_length_and_ascending_buckets(text: str) -> None:
    bag = Hasher(1024, 100).bag(text)
    assert (np.diff(bag.index) > 0).all()
    words = len(Hasher(1024, 100).words(text))
    assert bag.count.sum() == max(0, 2 * words - 1)
    if words:
        assert sum(v * v for v in bag.values().tolist()) == pytest.approx(1.0)


def test_addresses_in_the_text_are_not_read() -> None:
    hasher = Hasher(1 << 16, 100)
    assert hasher.words("See https://docs.example.org/x?y#z or www.example.org/a now") == [
        "see",
        "or",
        "now",
    ]


def test_word_limit() -> None:
    assert len(Hasher(1024, 100).words("word " * 10_000)) == 100
    assert len(Hasher(1024, 100).words("x" * 10_000_000)) == 1


def test_longest_prefix_wins() -> None:
    seeds = Prefixes({"a": ["h.org/"], "b": ["h.org/docs/"]}, "classify.topics")
    assert seeds.label("https://h.org/docs/x.html") == "b"
    assert seeds.label("http://h.org/other") == "a"
    assert seeds.label("https://g.org/docs/") is None
    with pytest.raises(ValueError, match="stands for both a and b"):
        Prefixes({"a": ["h.org/"], "b": ["h.org/"]}, "classify.topics")
    with pytest.raises(ValueError, match="without a scheme"):
        Prefixes({"a": ["https://h.org/"]}, "classify.topics")


@given(
    st.lists(st.sampled_from(["a", "b", None]), max_size=40),
    st.floats(0.05, 0.8),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=40)
def test_split_is_a_partition_with_both_sides(
    labels: list[str | None], share: float, seed: int
) -> None:
    ids = [f"id{i}" for i in range(len(labels))]
    parts = split(ids, labels, share, seed)
    assert sorted(parts.train + parts.test) == [i for i, x in enumerate(labels) if x is not None]
    for label in ("a", "b"):
        size = labels.count(label)
        held = sum(labels[i] == label for i in parts.test)
        if size >= 2:
            assert 1 <= held <= size - 1
            assert abs(held - share * size) <= 1
        else:
            assert held == 0


@given(st.lists(st.integers(0, 5), max_size=15), st.lists(st.integers(0, 5), max_size=15))
def test_auc_counts_pairs(positive: list[int], negative: list[int]) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    auc = measure.auc([float(p) for p in positive], [float(n) for n in negative])
    assert auc == (sum(pairs) / len(pairs) if pairs else None)


def test_report() -> None:
    told = measure.report(list("aaab"), list("aabb"), ("a", "b", "c"))
    assert told["accuracy"] == told["majority"] == 0.75
    assert told["classes"]["a"] == {"test_documents": 3, "precision": 1.0, "recall": 2 / 3}
    assert told["classes"]["b"]["precision"] == 0.5
    assert told["classes"]["c"] == {"test_documents": 0, "precision": None, "recall": None}


def test_training_separates_and_saves_what_it_scores(tmp_path) -> None:
    hasher = Hasher(4096, 1000)
    texts = [f"the table has a column {i}" for i in range(20)] + [
        f"my lord the king is dead {i}" for i in range(5)
    ]
    bags = [hasher.bag(text) for text in texts]
    model = linear.train(
        bags, [0] * 20 + [1] * 5, ("db", "drama"),
        buckets=4096, epochs=5, learning_rate=0.5, key="test",
    )  # fmt: skip
    unseen = hasher.bag("the king and my lord")
    p = model.probabilities(unseen)
    assert p[1] > 0.6 and sum(p.tolist()) == pytest.approx(1.0)
    model.save(tmp_path / "m.safetensors", {"words": 1000})
    again = linear.load(tmp_path / "m.safetensors")
    assert again.classes == ("db", "drama")
    assert (again.probabilities(unseen) == p).all()
    assert (model.probabilities(hasher.bag("")) == again.probabilities(hasher.bag(""))).all()
