"""The order of training for single positions: `regrow.data.tokens.order` in plain integers.

The same function as `regrow.numerics.permutation` and `regrow.data.tokens.order` (a test compares them), without
arrays: a question about one sequence needs a few numbers, and loading numpy would cost more than all else.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

_ROUNDS = 8
_WORD = (1 << 64) - 1


class Bijection:
    """The bijection of 0 .. n - 1 named by `key`."""

    def __init__(self, n: int, key: str) -> None:
        self.n = n
        self._half = max(1, ((n - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        digest = b"".join(
            hashlib.sha256(f"regrow permutation {i} {key}".encode()).digest() for i in range(2)
        )
        self._keys = [int.from_bytes(digest[8 * i : 8 * i + 8], "little") for i in range(_ROUNDS)]

    def forward(self, position: int) -> int:
        """The element at a position. Raises IndexError outside 0 .. n - 1."""
        self._check(position)
        while True:
            left, right = position >> self._half, position & self._mask
            for key in self._keys:
                left, right = right, left ^ (_mix(right + key & _WORD) & self._mask)
            position = left << self._half | right
            if position < self.n:
                return position

    def inverse(self, element: int) -> int:
        """The position of an element. Raises IndexError outside 0 .. n - 1."""
        self._check(element)
        while True:
            left, right = element >> self._half, element & self._mask
            for key in reversed(self._keys):
                left, right = right ^ (_mix(left + key & _WORD) & self._mask), left
            element = left << self._half | right
            if element < self.n:
                return element

    def _check(self, index: int) -> None:
        if not 0 <= index < self.n:
            raise IndexError(f"index outside 0 .. {self.n - 1}")


def _mix(x: int) -> int:
    """The finaliser of SplitMix64 (Steele et al., OOPSLA 2014)."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _WORD
    return x ^ x >> 31


class Positions:
    """The order of `sequences` training sequences in a `stage` under a `seed`."""

    def __init__(self, sequences: int, seed: int, stage: str) -> None:
        self.sequences = sequences
        self.key = f"{stage} order seed {seed}"
        self._epoch = lru_cache(maxsize=16)(self._bijection)

    def _bijection(self, epoch: int) -> Bijection:
        return Bijection(self.sequences, f"{self.key} epoch {epoch}")

    def at(self, position: int) -> int:
        """The sequence at a position of the run."""
        epoch, place = divmod(position, self.sequences)
        return self._epoch(epoch).forward(place)

    def positions(self, sequence: int, end: int) -> list[int]:
        """Positions below `end` at which `sequence` stands, ascending: one per epoch begun."""
        found = (
            epoch * self.sequences + self._epoch(epoch).inverse(sequence)
            for epoch in range(-(-end // self.sequences))
        )
        return [position for position in found if position < end]
