"""Word n-grams as 64-bit integers.

A word is the first 8 bytes of its BLAKE2b digest, an n-gram a polynomial of its words' numbers
modulo 2**64, finished by the mixer of SplitMix64 (Steele et al., OOPSLA 2014). Integers only, so the same
on every machine. Two n-grams of a corpus of 10**9 collide with probability under 3 %, one
given pair with 5e-20: similarities computed on these numbers are the true ones for our purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.folding import tokens
from regrow.data.dedup.native.library import library

_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Shingler:
    """Turns texts into n-gram numbers; remembers the numbers of words it has met."""

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"n-grams of {n} words: n must be at least 1")
        self.n = n
        self._words = _Numbers()

    def sequence(self, text: str) -> NDArray[np.uint64]:
        """Numbers of the n-grams in order of place, of the words as `regrow.data.dedup.folding` has them.

        A text of fewer than n words is one n-gram, a text without words none.
        """
        words = self.numbers(tokens(text))
        return grams(words, min(self.n, len(words)))

    def numbers(self, words: Sequence[str]) -> NDArray[np.uint64]:
        """Numbers of words, in order."""
        return np.fromiter(map(self._words.__getitem__, words), np.uint64, len(words))

    def set(self, text: str) -> NDArray[np.uint64]:
        """The set of n-grams: sorted, each once."""
        return np.unique(self.sequence(text))


def grams(
    words: NDArray[np.uint64], n: int, at: NDArray[np.int64] | None = None
) -> NDArray[np.uint64]:
    """Numbers of the n-grams of a sequence of words; `at`: only of those that begin there.

    None, where there are fewer than n words (n at least 1) or no words at all.
    """
    size = max(len(words) - n + 1, 0) if at is None else len(at)
    if n < 1 or not size:
        return np.empty(0, np.uint64)
    total = np.zeros(size, np.uint64)
    for i in range(n):
        total *= _BASE
        total += words[i : i + size] if at is None else words[at + i]
    return mix(total)


class _Numbers(dict[str, int]):
    """Numbers of words, computed when first asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = value = number(word)
        return value


def number(word: str) -> int:
    """64-bit number of a word."""
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64: a bijection of 64-bit integers whose bits all depend on all."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The values sorted, each once: `np.unique`, faster for some hundreds of them."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def sizes(values: NDArray[np.uint64], ends: NDArray[np.int64]) -> NDArray[np.uint32]:
    """How many different values each of several sequences has, one after the other, each up to its end."""
    native = library()
    if native is not None:
        return native.different(values, ends)
    return np.array([len(distinct(one)) for one in np.split(values, ends[:-1])], np.uint32)


def shared(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> int:
    """Size of the intersection of two sets (sorted arrays without repetition)."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) == 0:
        return 0
    places = np.searchsorted(b, a)
    places[places == len(b)] = 0
    return int(np.count_nonzero(b[places] == a))


def jaccard(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Jaccard similarity of two sets; two empty sets are equal."""
    both = shared(a, b)
    either = len(a) + len(b) - both
    return both / either if either else 1.0
