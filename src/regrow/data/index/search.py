"""Search in an index: the longest match at every place of a text, and all places of a run of tokens.

Only rows that count are found: `counted` says which, so one index of a data set answers for every
checkpoint that has seen a part of it. All searches are binary searches in the suffix array, O(log N)
each; rows that do not count are stepped over to the next one that does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.index.build import SEPARATOR, Shard

Ints = NDArray[np.int64]
_WINDOW = 64
"""tokens compared at first"""
_BLOCK = 64
"""suffixes looked at, at first, for a row that counts"""


class Searched:
    """A shard: tokens, suffix array, and the bits of what is learned."""

    def __init__(
        self,
        tokens: NDArray[np.uint16],
        suffixes: NDArray[np.uint32],
        learned: NDArray[np.uint8] | None,
    ) -> None:
        """`tokens` big-endian with separators; `learned`: packed bits, little-endian, or None."""
        self.tokens = tokens
        self.suffixes = suffixes
        self.learned = learned
        self._bytes: memoryview = tokens.view(np.uint8).data
        self._order: memoryview = suffixes.data

    def _at(self, width: int) -> Callable[[int], bytes]:
        """The first `width` bytes of the suffix of a rank."""
        text, order = self._bytes, self._order
        return lambda rank: bytes(text[(at := 2 * order[rank]) : at + width])

    def interval(self, pattern: bytes) -> tuple[int, int]:
        """The ranks, first and end, of the suffixes that begin with `pattern` (big-endian tokens)."""
        key, ranks = self._at(len(pattern)), range(len(self._order))
        first = bisect_left(ranks, pattern, key=key)
        return first, bisect_right(ranks, pattern, lo=first, key=key)

    def longest(
        self, query: bytes, least: int, counts: Callable[[Ints], NDArray[np.bool_]] | None
    ) -> int:
        """Tokens of the longest match of the beginning of `query`, 0 where it is below `least`.

        `counts`: of positions, which of them count; None: all.
        """
        width = min(2 * _WINDOW, len(query))
        while True:
            head = query[:width]
            key = self._at(width)
            rank = bisect_left(range(len(self._order)), head, key=key)
            found = max(
                self._nearest(head, rank, -1, least, counts),
                self._nearest(head, rank, 1, least, counts),
            )
            if 2 * found < width or width == len(query):
                return found
            width = min(4 * width, len(query))

    def _nearest(
        self,
        head: bytes,
        rank: int,
        way: int,
        least: int,
        counts: Callable[[Ints], NDArray[np.bool_]] | None,
    ) -> int:
        """The match with the nearest suffix that counts, from `rank` on in one direction.

        Matches only become shorter with the distance, so the first that counts is the longest.
        """
        key, size = self._at(len(head)), len(self._order)
        here = rank if way > 0 else rank - 1
        block = _BLOCK
        while 0 <= here < size:
            length = common(key(here), head)
            if length < least:
                return 0
            if counts is None:
                return length
            low, high = (
                (here, min(size, here + block)) if way > 0 else (max(0, here + 1 - block), here + 1)
            )
            good = np.flatnonzero(counts(self.suffixes[low:high].astype(np.int64)))
            if good.size:
                at = low + int(good[0] if way > 0 else good[-1])
                length = common(key(at), head)
                return length if length >= least else 0
            here = high if way > 0 else low - 1
            block *= 4
        return 0


class Index:
    """An index of a data set."""

    def __init__(self, shards: list[Searched], rows: pl.DataFrame, unigrams: Ints) -> None:
        self.shards = shards
        self.rows = rows
        self.unigrams = unigrams
        """how often each token stands in the data, by its id"""
        self._first = [0]
        for count in rows.group_by("shard").len().sort("shard")["len"].to_list():
            self._first.append(self._first[-1] + count)
        self._starts = rows["start"].to_numpy()

    @classmethod
    def of(cls, made: Iterable[Shard]) -> Index:
        """An index in memory."""
        parts = list(made)
        found = [
            Searched(
                s.tokens,
                s.suffixes,
                None if s.learned is None else np.packbits(s.learned, bitorder="little"),
            )
            for s in parts
        ]
        return cls(
            found, pl.concat([s.rows for s in parts]), np.sum([unigrams(s) for s in parts], axis=0)
        )

    @cached_property
    def tokens(self) -> int:
        """Of all rows, separators left out."""
        return int(self.rows["length"].sum())

    def _rows_at(self, shard: int, positions: Ints) -> Ints:
        """Numbers of the rows in which positions of a shard lie."""
        first, end = self._first[shard], self._first[shard + 1]
        return first + np.searchsorted(self._starts[first:end], positions, side="right") - 1

    def matches(self, query: NDArray[np.uint16], least: int, counted: NDArray[np.bool_]) -> Ints:
        """Per place in `query` the tokens of the longest match that begins there: (len(query),).

        `counted`: of the rows, (rows,). Matches below `least` tokens are 0.
        """
        found = np.zeros(len(query), dtype=np.int64)
        if not counted.any():
            return found
        text = encode(query)
        for number, shard in enumerate(self.shards):
            mine = counted[self._first[number] : self._first[number + 1]]
            counts = None
            if not mine.all():
                counts = lambda at, n=number: counted[self._rows_at(n, at)]  # noqa: E731
            for place in range(len(query) - least + 1 if mine.any() else 0):
                length = shard.longest(text[2 * place :], least, counts)
                found[place] = max(found[place], length)
        return found

    def places(self, span: NDArray[np.uint16], counted: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Every place of a run of tokens in the rows that count: row numbers and offsets, ascending."""
        pattern = encode(span)
        rows, offsets = [], []
        for number, shard in enumerate(self.shards):
            first, end = shard.interval(pattern)
            at = np.sort(shard.suffixes[first:end].astype(np.int64))
            mine = self._rows_at(number, at)
            good = counted[mine]
            rows.append(mine[good])
            offsets.append((at - self._starts[mine])[good])
        return np.concatenate(rows), np.concatenate(offsets)

    def row(self, number: int) -> NDArray[np.uint16]:
        """The tokens of a row: (length,), uint16."""
        shard, start, length = self._where(number)
        return np.asarray(shard.tokens[start : start + length], dtype=np.uint16)

    def learned(self, rows: Ints, offsets: Ints, length: int) -> Ints | None:
        """How many of the `length` tokens at each place the loss counts: (places,).

        None: all, but for the first of a row, which nothing predicts.
        """
        if self.shards[0].learned is None:
            return None
        found = np.zeros(len(rows), dtype=np.int64)
        which = self.rows["shard"].to_numpy()[rows]
        at = self._starts[rows] + offsets
        for number, shard in enumerate(self.shards):
            here = which == number
            for step in range(length if here.any() else 0):
                bit = at[here] + step
                found[here] += shard.learned[bit >> 3] >> (bit & 7) & 1  # type: ignore[index]
        return found

    def _where(self, number: int) -> tuple[Searched, int, int]:
        shard, start, length = self.rows.select("shard", "start", "length").row(number)
        return self.shards[shard], start, length


def unigrams(shard: Shard) -> Ints:
    """How often each token but the separator stands in a shard: (SEPARATOR,)."""
    return np.bincount(shard.tokens, minlength=SEPARATOR + 1)[:SEPARATOR]


def encode(tokens: NDArray[np.uint16]) -> bytes:
    """Tokens as an index holds them."""
    return np.asarray(tokens).astype(">u2").tobytes()


def common(left: bytes, right: bytes) -> int:
    """How many tokens two byte strings begin with in common."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size // 2
    low, high = 0, size // 2  # tokens known to be equal, and one beyond the first that differs
    while high - low > 1:
        middle = (low + high) // 2
        if left[2 * low : 2 * middle] == right[2 * low : 2 * middle]:
            low = middle
        else:
            high = middle
    return low
