"""The n-grams of many texts at once: the same numbers as `regrow.data.dedup.shingles.Shingler` gives for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.folding import fold
from regrow.data.dedup.native.library import Joined, library
from regrow.data.dedup.numbering import Numbering
from regrow.data.dedup.shingles import grams
from regrow.data.dedup.splitting import END, parted

_BATCH = 1 << 20
"""characters of the texts that are cut together; a longer text is alone"""
_SPACE = ord(" ")


class Sequences:
    """Turns texts into n-gram numbers, batch by batch.

    Args:
        n: words of an n-gram.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._numbering = Numbering()

    def of(self, texts: Iterable[str]) -> Iterator[NDArray[np.uint64]]:
        """The n-grams of each text in order of place, as `Shingler.sequence` has them."""
        held: list[str] = []
        size = 0
        for text in texts:
            held.append(text)
            size += len(text)
            if size >= _BATCH:
                yield from self._batch(held)
                held, size = [], 0
        if held:
            yield from self._batch(held)

    def together(self, texts: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The n-grams of all texts, one text after the other, and where those of each end."""
        every = [*self.of(texts)]
        ends = np.cumsum([len(one) for one in every], dtype=np.int64)
        return np.concatenate([np.empty(0, np.uint64), *every]), ends

    def words(self, text: str) -> NDArray[np.uint64]:
        """The numbers of the words of a text, in order, as `Shingler.numbers` has them."""
        return self._numbers([fold(text)])[0]

    def _numbers(self, folded: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The numbers of all words, and how many there are up to the end of each text."""
        data = parted(folded)
        units = np.frombuffer(data, np.uint8)
        inside = np.concatenate([[False], units > _SPACE])
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, ends = edges[::2], edges[1::2]  # a text ends outside any word
        numbers = self._numbering.of(data, starts, ends)
        return numbers, np.searchsorted(starts, np.flatnonzero(units == END))

    def _batch(self, texts: list[str]) -> Iterator[NDArray[np.uint64]]:
        native = library()
        if native is None:
            yield from self._folded([fold(text) for text in texts])
            return
        found = _cut(*native.ngrams(Joined.of(texts), self._n, raw=True))
        left = [at for at, one in enumerate(found) if one is None]
        if left:
            folded = [fold(texts[at]) for at in left]
            again = _cut(*native.ngrams(Joined.of(folded), self._n, raw=False))
            odd = self._folded(
                [text for text, one in zip(folded, again, strict=True) if one is None]
            )
            for at, one in zip(left, again, strict=True):
                found[at] = next(odd) if one is None else one
        yield from (one for one in found if one is not None)

    def _folded(self, folded: list[str]) -> Iterator[NDArray[np.uint64]]:
        """The n-grams of folded texts, without the native code."""
        if not folded:
            return
        numbers, lasts = self._numbers(folded)
        every = grams(numbers, self._n)
        first = 0
        for last in lasts.tolist():
            count = last - first
            if count >= self._n:
                yield every[first : last - self._n + 1]
            else:
                yield grams(numbers[first:last], count)
            first = last


def _cut(every: NDArray[np.uint64], ends: NDArray[np.int64]) -> list[NDArray[np.uint64] | None]:
    """The n-grams of each text; None where the native code left it."""
    found: list[NDArray[np.uint64] | None] = []
    begin = 0
    for end in ends.tolist():
        found.append(None if end < 0 else every[begin:end])
        begin = max(begin, end)
    return found
