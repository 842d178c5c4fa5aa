"""A 64-bit number of each window of a byte string (Karp and Rabin, IBM J. Res. Dev. 1987), for all windows at once.

Sums of a power series modulo 2**64, so a window's number is a difference of two sums; equal windows have equal numbers.
Others may too: whoever needs certainty compares the bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.shingles import mix
from regrow.numerics.random import Stream

_BASE = 0x9E3779B97F4A7C15
_CHUNK = 1 << 18
"""windows whose numbers are computed together"""


class Rolling:
    """Numbers of all windows of `size` bytes."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"windows of {size} bytes: there must be one byte at least")
        self._size = size
        self._bytes = Stream("substring", 0).bits64(256)
        self._powers, self._inverse = (
            _powers(base, _CHUNK + size) for base in (_BASE, pow(_BASE, -1, 1 << 64))
        )

    def of(self, data: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """The numbers of the windows that begin at each byte; none where there are fewer bytes than a window has."""
        count = max(0, len(data) - self._size + 1)
        found = np.empty(count, np.uint64)
        for first in range(0, count, _CHUNK):
            part = data[first : first + _CHUNK + self._size - 1]
            sums = np.zeros(len(part) + 1, np.uint64)
            np.cumsum(self._bytes[part] * self._powers[: len(part)], out=sums[1:])
            windows = sums[self._size :] - sums[: -self._size]
            found[first : first + len(windows)] = mix(windows * self._inverse[: len(windows)])
        return found


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)
