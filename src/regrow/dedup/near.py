"""Near-duplicates: MinHash-LSH candidates, verified by their true Jaccard similarity.

Source: OLMo 3, appendix A.2.2: word 5-grams, 26 bands of 11 hashes, similarity 0.80, candidates
verified, connected components, the newest of each stays. A component may chain: two of its
documents need not be similar themselves if documents between them are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrow.dedup.clusters import UnionFind
from regrow.dedup.minhash import MinHash, buckets
from regrow.dedup.shingles import Shingler, jaccard
from regrow.params.data import Dedup


class Similarity:
    """True similarities between texts, with the n-gram sets kept."""

    def __init__(self, texts: list[str], n: int) -> None:
        shingler = Shingler(n)
        self.sequences = [shingler.sequence(text) for text in texts]
        self._sets: dict[int, NDArray[np.uint64]] = {}

    def of(self, i: int, j: int) -> float:
        """Jaccard similarity of the n-gram sets of texts i and j."""
        return jaccard(self._set(i), self._set(j))

    def at_least(self, i: int, j: int, limit: float) -> bool:
        """Whether that similarity reaches the limit; sizes alone rule many pairs out."""
        small, large = sorted((len(self._set(i)), len(self._set(j))))
        return small >= limit * large and self.of(i, j) >= limit

    def _set(self, i: int) -> NDArray[np.uint64]:
        if i not in self._sets:
            self._sets[i] = np.unique(self.sequences[i])
        return self._sets[i]


def clusters(similarity: Similarity, params: Dedup) -> list[list[int]]:
    """Clusters of similar texts (ascending row numbers); texts without words are in none."""
    rows = np.array([i for i, s in enumerate(similarity.sequences) if len(s)], np.int64)
    union = UnionFind(len(similarity.sequences))
    signatures = MinHash(params.bands * params.rows, params.seed).signatures(
        [similarity.sequences[i] for i in rows]
    )
    apart: set[tuple[int, int]] = set()
    for group in buckets(signatures, params.bands, params.rows):
        _join(union, [int(rows[g]) for g in group], apart, similarity, params.jaccard)
    return union.sets()


def _join(
    union: UnionFind,
    members: list[int],
    apart: set[tuple[int, int]],
    similarity: Similarity,
    limit: float,
) -> None:
    for at, i in enumerate(members):
        if len({union.find(m) for m in members[at:]}) == 1:
            return  # all that are left are together already
        for j in members[at + 1 :]:
            if union.find(i) == union.find(j) or (i, j) in apart:
                continue
            if similarity.at_least(i, j, limit):
                union.join(i, j)
            else:
                apart.add((i, j))
