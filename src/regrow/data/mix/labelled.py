"""The labelled documents that a classifier learns from: all of them, or, where they are very many, as many as fit.

Each class has an equal part of `MOST`. Of a class that has more the documents with the smallest hashes of their ids
are taken, so that neither the order of the table nor a document more or less changes which.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from regrow.data.mix.seeds import Prefixes

MOST = 16 << 20
"""characters that are read (and `PER_DOCUMENT` each) of all examples of a classifier"""
PER_DOCUMENT = 200


@dataclass(frozen=True, order=True)
class Example:
    """A document that is learned from or measured on."""

    place: int
    """in the table"""
    id: str
    label: str


@dataclass
class Labelled:
    """Examples of one classifier, by their places in the table.

    Args:
        name: of the classifier.
        classes: in the order of the model's.
        prefixes: whose pages are labelled.
    """

    name: str
    classes: tuple[str, ...]
    prefixes: Prefixes
    counts: Counter[str] = field(default_factory=Counter)
    """labelled documents of the table, by label, whether they are examples or not"""
    _taken: dict[str, _Smallest] = field(default_factory=dict)

    def see(self, place: int, id_: str, url: str, size: int) -> None:
        """Count a document, and take it if it is labelled and fits.

        Args:
            size: characters of it that are read.
        """
        label = self.prefixes.label(url)
        if label is None:
            return
        self.counts[label] += 1
        if label not in self._taken:
            self._taken[label] = _Smallest(MOST // len(self.classes))
        key = blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8, person=b"regrow-label")
        self._taken[label].add(int.from_bytes(key.digest(), "big"), place, size + PER_DOCUMENT, id_)

    def examples(self) -> list[Example]:
        """The examples, by place."""
        return sorted(
            Example(place, id_, label)
            for label, taken in self._taken.items()
            for _, place, _, id_ in taken.entries
        )


class _Smallest:
    """The entries with the smallest keys: as few as reach a total size, or all if they do not."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._heap: list[tuple[int, int, int, str]] = []
        """negative key and place, so that the entry with the largest key is the first; size and id"""

    def add(self, key: int, place: int, size: int, id_: str) -> None:
        heapq.heappush(self._heap, (-key, -place, size, id_))
        self._total += size
        while self._total - self._heap[0][2] >= self._most:
            self._total -= heapq.heappop(self._heap)[2]

    @property
    def entries(self) -> list[tuple[int, int, int, str]]:
        return [(-key, -place, size, id_) for key, place, size, id_ in self._heap]
