"""Near-duplicates: MinHash-LSH candidates, verified by their true Jaccard similarity.

Source: OLMo 3, appendix A.2.2: word 5-grams, 26 bands of 11 hashes, similarity 0.80, candidates
verified, connected components, the newest of each stays. A component may chain: two of its
documents need not be similar themselves if documents between them are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup import minhash
from regrow.data.dedup.clusters import UnionFind
from regrow.data.dedup.minhash import buckets
from regrow.data.dedup.shingles import distinct, jaccard
from regrow.params.data import Dedup

TRIES = 200
"""comparisons in vain after which a document is compared no more"""


class Similarity:
    """True similarities between texts, by the sequences of their n-grams, with the sets kept."""

    def __init__(self, sequences: list[NDArray[np.uint64]]) -> None:
        self.sequences = sequences
        self._sets: dict[int, NDArray[np.uint64]] = {}

    def of(self, i: int, j: int) -> float:
        """Jaccard similarity of the n-gram sets of texts i and j."""
        return jaccard(self._set(i), self._set(j))

    def at_least(self, i: int, j: int, limit: float) -> bool:
        """Whether that similarity reaches the limit; sizes alone rule many pairs out."""
        small, large = sorted((len(self._set(i)), len(self._set(j))))
        return small >= limit * large and self.of(i, j) >= limit

    def size(self, i: int) -> int:
        """Number of different n-grams of text i."""
        return len(self._set(i))

    def shared(self, rows: list[int]) -> list[int]:
        """How many of the n-grams of each of these texts another of them has too."""
        if not rows:
            return []
        every = np.concatenate([self._set(i) for i in rows])
        _, place, times = np.unique(every, return_inverse=True, return_counts=True)
        starts = np.cumsum([0, *(len(self._set(i)) for i in rows[:-1])])
        return np.add.reduceat((times[place] > 1).astype(np.int64), starts).tolist()

    def _set(self, i: int) -> NDArray[np.uint64]:
        if i not in self._sets:
            self._sets[i] = distinct(self.sequences[i])
        return self._sets[i]


def clusters(
    similarity: Similarity, params: Dedup, keys: NDArray[np.uint64] | None = None
) -> tuple[list[list[int]], int]:
    """Clusters of similar texts (ascending row numbers), and how many texts were compared no more.

    Texts without words are in none. `keys`: `minhash.band_keys` of the texts, where they are known.
    """
    rows = [i for i, s in enumerate(similarity.sequences) if len(s)]
    if keys is None:
        keys = keys_of([similarity.sequences[i] for i in rows], params)
    else:
        keys = keys[rows]
    if len(rows) == 2:  # most components are a document and its copy
        alike = bool((keys[0] == keys[1]).any()) and similarity.at_least(
            rows[0], rows[1], params.jaccard
        )
        return ([rows] if alike else []), 0
    pairs = _Pairs(similarity, rows, params.jaccard)
    for group in buckets(keys):
        pairs.join(np.array(rows, np.int64)[group])
    return pairs.union.sets(), pairs.given_up


def keys_of(sequences: list[NDArray[np.uint64]], params: Dedup) -> NDArray[np.uint64]:
    """The band keys of texts by their n-grams; of a text without any they are 0."""
    ends = np.cumsum([len(one) for one in sequences], dtype=np.int64)
    grams = np.concatenate([np.zeros(0, np.uint64), *sequences])
    return minhash.keys_of(grams, ends, params.bands, params.rows, params.seed)


class _Pairs:
    """Joins similar documents bucket by bucket, at a cost that grows with the documents, not their pairs.

    Thousands of pages of one form share all buckets and are no copies: words of their own keep them
    apart. Two bounds rule their pairs out. What no other document has cannot be shared: with s of
    its n-grams shared by anybody, a document of size a reaches similarity t with one of size b at
    most if min(s) >= t / (1 + t) (a + b) (as in AllPairs and PPJoin: Xiao et al., WWW 2008). And a
    document that was compared in vain with `TRIES` others is compared no more.
    """

    def __init__(self, similarity: Similarity, rows: list[int], limit: float) -> None:
        count = len(similarity.sequences)
        self.union = UnionFind(count)
        self.given_up = 0
        self._similarity, self._limit = similarity, limit
        self._apart: set[int] = set()
        self._tries = np.zeros(count, np.int64)
        self._size = np.zeros(count, np.int64)
        self._most = np.zeros(count, np.float64)
        shared = similarity.shared(rows)
        for i, common in zip(rows, shared, strict=True):
            self._size[i] = similarity.size(i)
            # The largest partner: all that is shared is in common. (1e-9: the bound is a float.)
            reach = common * (1 + limit) / limit if limit else np.inf
            self._most[i] = reach - self._size[i] + 1e-9 * max(reach, 1.0) if limit else np.inf

    def join(self, members: NDArray[np.int64]) -> None:
        """Compare the members of a bucket, small ones first."""
        members = members[self._tries[members] < TRIES]
        members = members[np.lexsort((members, self._size[members]))]
        roots = np.array([self.union.find(int(i)) for i in members], np.int64)
        left = len(np.unique(roots))
        for at, i in enumerate(members.tolist()):
            if left <= 1:
                return  # all are together
            stop = np.searchsorted(self._size[members], self._most[i], "right")
            rest = members[at + 1 : stop]
            fits = (roots[at + 1 : stop] != roots[at]) & (self._most[rest] >= self._size[i])
            for place in (np.flatnonzero(fits) + at + 1).tolist():
                if self._tries[i] >= TRIES:
                    break
                j = int(members[place])
                if roots[place] == roots[at] or self._tries[j] >= TRIES:
                    continue
                if self._similar(i, j):
                    self.union.join(i, j)
                    roots[roots == roots[place]] = roots[at]
                    left -= 1

    def _similar(self, i: int, j: int) -> bool:
        pair = min(i, j) * len(self._size) + max(i, j)
        if pair in self._apart:
            return False
        if self._similarity.at_least(i, j, self._limit):
            return True
        self._apart.add(pair)
        for one in (i, j):
            self._tries[one] += 1
            self.given_up += int(self._tries[one] == TRIES)
        return False
