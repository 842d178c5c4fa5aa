"""A keyed bijection over 0 .. n - 1, computed, not stored.

A Feistel network over the smallest square power of two that holds n, with cycle
walking back into the range (Black and Rogaway, "Ciphers with arbitrary finite
domains", CT-RSA 2002). Position to element and element to position both take O(1)
time and memory, so the order of a trillion training sequences needs no file.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDS = 8


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al., OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Permutation:
    """The bijection of 0 .. n - 1 named by `key` (text that says what the order is for)."""

    def __init__(self, n: int, key: str) -> None:
        if not 0 < n <= 1 << 62:
            raise ValueError(f"a permutation needs 1 to 2**62 elements, got {n}")
        self.n = n
        self._half = max(1, ((n - 1).bit_length() + 1) // 2)
        self._mask = np.uint64((1 << self._half) - 1)
        digest = b"".join(
            hashlib.sha256(f"regrow permutation {i} {key}".encode()).digest() for i in range(2)
        )
        self._keys = np.frombuffer(digest, dtype="<u8")[:_ROUNDS].copy()

    def _rounds(self, x: NDArray[np.uint64], inverse: bool) -> NDArray[np.uint64]:
        half = np.uint64(self._half)
        left, right = x >> half, x & self._mask
        if inverse:
            for key in self._keys[::-1]:
                left, right = right ^ (_mix(left + key) & self._mask), left
        else:
            for key in self._keys:
                left, right = right, left ^ (_mix(right + key) & self._mask)
        return (left << half) | right

    def _walk(self, index: ArrayLike, inverse: bool) -> NDArray[np.int64]:
        given = np.asarray(index, dtype=np.int64)
        if given.size and (given.min() < 0 or given.max() >= self.n):
            raise IndexError(f"index outside 0 .. {self.n - 1}")
        x = np.atleast_1d(given).astype(np.uint64)
        with np.errstate(over="ignore"):
            x = self._rounds(x, inverse)
            outside = x >= np.uint64(self.n)
            while outside.any():
                x[outside] = self._rounds(x[outside], inverse)
                outside = x >= np.uint64(self.n)
        return x.astype(np.int64).reshape(given.shape)

    def forward(self, position: ArrayLike) -> NDArray[np.int64]:
        """Elements at positions (any shape). Raises IndexError outside 0 .. n - 1."""
        return self._walk(position, inverse=False)

    def inverse(self, element: ArrayLike) -> NDArray[np.int64]:
        """Positions of elements (any shape). Raises IndexError outside 0 .. n - 1."""
        return self._walk(element, inverse=True)
