"""Numbers of words (`regrow.data.dedup.shingles.number`) for many words at once.

A word of up to 16 bytes is two integers of 64 bits, by which its number is looked up in a table of fixed size; a word
that is not there is hashed and takes the place of the one that is. What the table holds changes no number.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.shingles import mix

_BITS = 18
"""of a place in the table: 24 bytes for each of 2**18"""
_LONGEST = 16
"""bytes of a word that has a place"""
_FIRST = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
"""the first bytes of eight, little-endian"""


class Numbering:
    """Gives words their numbers; remembers those of words it has met, as far as its table reaches."""

    def __init__(self) -> None:
        size = 1 << _BITS
        self._low, self._high, self._number = (np.zeros(size, np.uint64) for _ in range(3))

    def of(
        self, data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.uint64]:
        """The numbers of the words `data[start:end]`, in order; no word may be empty or hold a zero byte."""
        sizes = ends - starts
        padded = data + bytes(_LONGEST)
        eights = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))
        low = eights[starts] & _FIRST[np.minimum(sizes, 8)]
        high = eights[starts + 8] & _FIRST[np.clip(sizes - 8, 0, 8)]
        places = (mix(low ^ mix(high)) >> np.uint64(64 - _BITS)).astype(np.int64)
        found = self._number[places]
        left = np.flatnonzero((self._low[places] != low) | (self._high[places] != high))
        long = np.flatnonzero(sizes > _LONGEST)
        left = left[sizes[left] <= _LONGEST]
        while len(left):
            taken, first = np.unique(places[left], return_index=True)
            new = left[first]
            self._low[taken], self._high[taken] = low[new], high[new]
            self._number[taken] = _numbers(data, starts[new], ends[new])
            there = places[left]
            known = (self._low[there] == low[left]) & (self._high[there] == high[left])
            found[left[known]] = self._number[there[known]]
            left = left[~known]
        found[long] = _numbers(data, starts[long], ends[long])
        return found


def _numbers(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[int]:
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    return [_number(data[start:end]) for start, end in places]


def _number(word: bytes) -> int:
    return int.from_bytes(blake2b(word, digest_size=8).digest(), "little")
