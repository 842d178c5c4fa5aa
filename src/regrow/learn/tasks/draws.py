"""Random draws of one item: a fixed number of words of a stream, so that items do not touch each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.random import Stream

T = TypeVar("T")

PER_ITEM = 32
"""64-bit words that one item may use"""
_BLOCK = 512
"""items drawn at once, at most"""


class Draws:
    """Up to `PER_ITEM` draws, in order."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words: list[int] = words.tolist()
        self._at = 0

    def below(self, n: int) -> int:
        """Uniform in 0 .. n - 1 (n up to 2**32, bias under 2**-32).

        Raises:
            ValueError: the item has used up its words.
        """
        if self._at == len(self._words):
            raise ValueError(f"an item may draw {len(self._words)} times")
        word = self._words[self._at]
        self._at += 1
        return ((word >> 32) * n) >> 32

    def between(self, low: int, high: int) -> int:
        """Uniform in low .. high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """True with probability `share`."""
        return self.below(1 << 32) < share * (1 << 32)

    def of(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], n: int) -> list[T]:
        """n different places of `items`, in random order (all of them if there are fewer)."""
        left = list(items)
        for i in range(min(n, len(left))):
            j = self.between(i, len(left) - 1)
            left[i], left[j] = left[j], left[i]
        return left[:n]


def items(*name: str | int) -> Iterator[Draws]:
    """Draws for item 0, 1, 2, ... of the stream with this name, without end."""
    stream = Stream(*name)
    start, size = 0, 1
    while True:
        block = stream.bits64(size * PER_ITEM, start).reshape(size, PER_ITEM)
        start += size * PER_ITEM
        size = min(2 * size, _BLOCK)
        yield from map(Draws, block)
