"""Near-duplicates: as many as comparing all candidates finds, at a cost that does not grow with pairs."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from regrow.data.dedup import near
from regrow.data.dedup.clusters import UnionFind
from regrow.data.dedup.minhash import MinHash, band_keys, buckets
from regrow.data.dedup.shingles import Shingler
from regrow.params.data import Dedup


def words(seed: object, n: int) -> list[str]:
    rng = random.Random(str(seed))
    return ["".join(rng.choices("abcdefghij", k=6)) for _ in range(n)]


def sequences(texts: list[str], n: int) -> list[NDArray[np.uint64]]:
    shingler = Shingler(n)
    return [shingler.sequence(text) for text in texts]


class Counting(near.Similarity):
    """Counts the comparisons."""

    compared = 0

    def at_least(self, i: int, j: int, limit: float) -> bool:
        self.compared += 1
        return super().at_least(i, j, limit)


def _alone(k: int) -> list[str]:
    return words("form", 150) + words(k, 27)


def _in_pairs(k: int) -> list[str]:
    """Each half of what is its own is a neighbour's too, so that it counts as shared."""
    return words("form", 150) + words(f"a{k // 2}", 15) + words(f"b{(k + 1) // 2}", 15)


@pytest.mark.parametrize("made", [_alone, _in_pairs])
def test_pages_of_one_form_cost_about_as_much_as_there_are(made) -> None:
    """0.74 alike: in one bucket all of them, and no two are copies."""
    for count in (150, 600):
        similarity = Counting(sequences([" ".join(made(k)) for k in range(count)], 5))
        found = near.clusters(similarity, Dedup())[0]
        assert similarity.compared <= near.TRIES * count
        if made is _alone:
            assert similarity.compared < 2 * count and not found


def test_copies_among_pages_of_one_form_are_found() -> None:
    texts = [" ".join(_alone(k)) for k in range(300)]
    copies = {k: " ".join([*_alone(k)[:-1], "other"]) for k in (3, 77, 212)}
    found, _ = near.clusters(near.Similarity(sequences([*texts, *copies.values()], 5)), Dedup())
    assert found == [[k, 300 + n] for n, k in enumerate(copies)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 11), max_size=25), max_size=14),
    st.sampled_from([0.0, 0.5, 0.8, 1.0]),
)
def test_the_clusters_are_those_of_comparing_all_candidates(numbers, limit) -> None:
    texts = [" ".join(f"w{n}" for n in row) for row in numbers]
    params = Dedup(ngram=2, bands=8, rows=1, jaccard=limit)
    similarity = near.Similarity(sequences(texts, 2))
    rows = [i for i, s in enumerate(similarity.sequences) if len(s)]
    union = UnionFind(len(texts))
    signatures = MinHash(8, 0).signatures([similarity.sequences[i] for i in rows])
    for group in buckets(band_keys(signatures, 8, 1)):
        members = [rows[g] for g in group]
        for at, i in enumerate(members):
            for j in members[at + 1 :]:
                if similarity.of(i, j) >= limit:
                    union.join(i, j)
    assert near.clusters(near.Similarity(sequences(texts, 2)), params)[0] == union.sets()
