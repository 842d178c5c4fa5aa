"""A document as a bag of hashed words and bigrams.

Hashing as in fastText (Joulin et al., "Bag of tricks for efficient text classification",
arXiv 1607.01759): FNV-1a of the word, and the pair of hashes combined by one multiplication.
Only the text is read, and URLs in it are left out, so that a classifier whose labels come
from URLs cannot read its answer off the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_URL = re.compile(r"(?:https?|ftp)://\S+|\bwww\.\S+")
_WORD = re.compile(r"\w+|[^\w\s]")
_BIGRAM = np.uint64(116049371)  # the multiplier of fastText's word n-grams
REMEMBERED = 1 << 17
"""words whose hashes are kept (about 200 bytes each)"""


@dataclass(frozen=True)
class Bag:
    """A sparse document: `index` (k,) int32, strictly ascending buckets; `count` (k,) int32."""

    index: NDArray[np.int32]
    count: NDArray[np.int32]

    def values(self) -> NDArray[np.float64]:
        """Feature values sqrt(count / total), (k,) float64: of length 1, however long the text."""
        total = int(np.sum(self.count, dtype=np.int64))
        return np.sqrt(self.count.astype(np.float64) / float(max(total, 1)))


def fnv1a(word: str) -> int:
    """FNV-1a, 32 bits, of the word's UTF-8 bytes."""
    value = 2166136261
    for byte in word.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


class Hasher:
    """Turns texts into bags over `buckets` buckets, reading at most `max_words` words of each."""

    def __init__(self, buckets: int, max_words: int) -> None:
        self.buckets = buckets
        self.max_words = max_words
        self._hashes: dict[str, int] = {}

    @property
    def characters(self) -> int:
        """Characters of a document that are read: ten a word are plenty, and a very long document stays cheap."""
        return 10 * self.max_words

    def words(self, text: str) -> list[str]:
        """Lower-case words and single punctuation marks, from the start of the text."""
        head = _URL.sub(" ", text[: self.characters])
        return _WORD.findall(head.lower())[: self.max_words]

    def bag(self, text: str) -> Bag:
        """The bag of a text; empty for a text without words."""
        hashes = np.array([self._hash(word) for word in self.words(text)], dtype=np.uint64)
        if not len(hashes):
            return Bag(np.zeros(0, np.int32), np.zeros(0, np.int32))
        pairs = hashes[:-1] * _BIGRAM + hashes[1:]  # wraps at 2**64, as in fastText
        features = np.concatenate([hashes, pairs]) % np.uint64(self.buckets)
        index, count = np.unique(features, return_counts=True)
        return Bag(index.astype(np.int32), count.astype(np.int32))

    def _hash(self, word: str) -> int:
        value = self._hashes.get(word)
        if value is None:
            if len(self._hashes) >= REMEMBERED:
                self._hashes.clear()
            value = self._hashes[word] = fnv1a(word)
        return value
