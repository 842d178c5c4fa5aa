"""The native code as functions of arrays, where it is built; a step builds nothing itself."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.native.build import target
from regrow.data.dedup.native.table import table

_BITS = 18
"""of a place in the memory of numbers: 24 bytes for each of 2**18"""
_STEP = 32
"""hash functions that are computed together"""
Grams = NDArray[np.uint64]
Ends = NDArray[np.int64]


@dataclass(frozen=True)
class Joined:
    """Texts in UTF-8 one after the other; `starts` has one place more, the end."""

    data: bytes
    starts: Ends

    @classmethod
    def of(cls, texts: Sequence[str]) -> Joined:
        """Halves of surrogate pairs stay what they are."""
        every = [text.encode("utf-8", "surrogatepass") for text in texts]
        return cls(b"".join(every), np.cumsum([0, *map(len, every)]))


class Library:
    """The built library, and the numbers of words that it remembers: they change nothing but the time."""

    def __init__(self, path: str) -> None:
        self._code = ctypes.PyDLL(path)  # holds the interpreter's lock: the memory is written
        self._known = np.zeros(3 << _BITS, np.uint64)

    def ngrams(self, texts: Joined, n: int, raw: bool) -> tuple[Grams, Ends]:
        """N-grams of all texts, and where those of each end; -1 for a text that is left to Python.

        `raw`: the texts are folded as well, else they are folded already.
        """
        sizes = np.diff(texts.starts)
        count = len(sizes)
        word = np.empty(3 * int(sizes.max(initial=0)) + 32, np.uint8)
        grams, ends = np.empty(len(texts.data), np.uint64), np.empty(count, np.int64)
        self._code.regrow_ngrams(
            texts.data, *_places(texts.starts), _size(count), *_places(table(raw)), _size(raw), _size(n),
            *_places(self._known), _size(_BITS), *_places(word, grams, ends),
        )  # fmt: skip
        return grams[: max(ends.max(initial=0), 0)].copy(), ends

    def plain(self, texts: Joined) -> tuple[memoryview, Ends]:
        """Texts as `regrow.data.dedup.exact` normalises them, and where each ends; -1 for one that is left to Python."""
        count = len(texts.starts) - 1
        out, ends = np.empty(len(texts.data) + 1, np.uint8), np.empty(count, np.int64)
        self._code.regrow_plain(
            texts.data, *_places(texts.starts), _size(count), *_places(table(True), out, ends)
        )
        return out.data, ends

    def band_keys(
        self,
        grams: Grams,
        ends: Ends,
        factors: NDArray[np.uint32],
        offsets: NDArray[np.uint32],
        bands: int,
    ) -> Grams:
        """The keys of `bands` bands of each text, (texts, bands), as `regrow.data.dedup.minhash` has them."""
        rows = len(factors) // bands
        padded = np.zeros((2, -(-len(factors) // _STEP) * _STEP), np.uint32)
        padded[:, : len(factors)] = factors, offsets
        scratch, keys = np.empty_like(padded[0]), np.empty((len(ends), bands), np.uint64)
        self._code.regrow_band_keys(
            *_places(grams, ends), _size(len(ends)), *_places(*padded), _size(padded.shape[1]),
            _size(bands), _size(rows), *_places(scratch, keys),
        )  # fmt: skip
        return keys

    def different(self, grams: Grams, ends: Ends) -> NDArray[np.uint32]:
        """How many different n-grams each text has."""
        most = int(np.diff(ends, prepend=0).max(initial=0))
        scratch, out = np.empty(4 * most + 2, np.uint64), np.empty(len(ends), np.uint32)
        self._code.regrow_different(*_places(grams, ends), _size(len(ends)), *_places(scratch, out))
        return out


@cache
def library() -> Library | None:
    """The library, if it is built for this machine; without it Python does the same."""
    try:
        return Library(str(target()))
    except OSError:
        return None


def _places(*arrays: NDArray[np.generic]) -> list[ctypes.c_void_p]:
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def _size(value: int) -> ctypes.c_int64:
    return ctypes.c_int64(value)
