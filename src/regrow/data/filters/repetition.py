"""Repeated lines, paragraphs and word n-grams.

Source: Gopher (arXiv 2112.11446, table A1), read as datatrove reads it: a copy counts from the
second on. Lines and paragraphs: the share that are copies, by number and by characters. For
n = 2, 3, 4: the share of characters in all occurrences of the most frequent n-gram (of equally
frequent ones the longest). For n = 5 .. 10: the share in n-grams that occurred before, each
character counted once. Characters of n-grams are those of the words alone. OLMo 3's code has
the same thresholds but counts first occurrences too, which is stricter by up to a factor of two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from regrow.data.filters.document import Document, Drop
from regrow.data.filters.words import CHARACTERS_PER_WORD
from regrow.params.data import Filter

TOP = 4
"""n up to which the most frequent n-gram counts; above it every repeated one does"""


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents that repeat themselves."""
    for name, parts, max_count, max_characters in (
        (
            "line",
            document.lines,
            params.max_duplicate_lines,
            params.max_duplicate_line_characters,
        ),
        (
            "paragraph",
            document.paragraphs,
            params.max_duplicate_paragraphs,
            params.max_duplicate_paragraph_characters,
        ),
    ):
        copies, characters = duplicates(parts)
        if copies > max_count:
            return Drop(f"repetition.{name}s", copies, max_count)
        if characters > max_characters:
            return Drop(f"repetition.{name}_characters", characters, max_characters)

    limits = {**params.max_top_ngram, **params.max_duplicate_ngram}
    if not limits:
        return None
    # Words of a script without spaces come as single characters.
    unit = CHARACTERS_PER_WORD if document.words and not document.spaced else 1
    for n, share in ngrams(document.words, max(limits), unit):
        if n in limits and share > limits[n]:
            return Drop(f"repetition.ngram_{n}", share, limits[n])
        # A repeated n-gram is made of repeated shorter ones: above TOP the share only falls.
        if n > TOP and all(share <= limit for m, limit in limits.items() if m > n):
            return None
    return None


def duplicates(parts: list[str]) -> tuple[float, float]:
    """Shares of parts, and of their characters, that are copies of an earlier part."""
    seen = Counter(parts)
    copies = [(len(part), times - 1) for part, times in seen.items()]
    characters = sum(map(len, parts))
    return (
        sum(times for _, times in copies) / max(len(parts), 1),
        sum(length * times for length, times in copies) / max(characters, 1),
    )


def ngrams(words: list[str], longest: int, unit: int = 1) -> Iterator[tuple[int, float]]:
    """Yield (n, share of characters covered by repeated n-grams) for n = 2 .. longest.

    Up to `TOP` the covering n-grams are all occurrences of the most frequent one, above it all
    n-grams that occurred before. `unit` tokens make a word. An n-gram repeats only where its first n - 1 words do, so each round
    looks at the places that are left from the round before.
    """
    vocabulary = dict(zip(dict.fromkeys(words), count()))
    ids = np.fromiter(map(vocabulary.__getitem__, words), np.int64, len(words))
    lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))[ids]
    before = np.concatenate([[0], np.cumsum(lengths)])
    total = int(before[-1])
    bits = len(words).bit_length()
    places, names, named = np.arange(len(words)), ids, len(vocabulary)
    for size in range(2, longest * unit + 1):
        n, between = divmod(size, unit)
        inside = places + size <= len(words)
        places, names = places[inside], names[inside]
        if len(places) == 0 or total == 0:
            if not between and n > 1:
                yield n, 0.0
            continue
        codes = names * len(vocabulary) + ids[places + size - 1]
        codes, places = _sorted(codes, places, bits, named * len(vocabulary))
        again = np.concatenate([[False], codes[1:] == codes[:-1]])
        repeated = again | np.append(again[1:], False)
        cover = places[again]
        names = np.cumsum(~again[repeated]) - 1
        places, named = places[repeated], int(names[-1]) + 1 if len(names) else 0
        if between or n < 2:
            continue
        if n <= TOP and len(places):
            cover = _top(places, names, size, before)
        yield n, covered(cover, size, lengths) / total


def _sorted(
    codes: NDArray[np.int64], places: NDArray[np.int64], bits: int, largest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both in the order of codes, then places (below 2 ** bits), as one sort of single numbers where they fit."""
    if largest.bit_length() + bits < 63:
        both = np.sort((codes << bits) | places)
        return both >> bits, both & ((1 << bits) - 1)
    order = np.lexsort((places, codes))
    return codes[order], places[order]


def _top(
    places: NDArray[np.int64], names: NDArray[np.int64], size: int, before: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Places of the most frequent n-gram; of equally frequent ones of the longest, then of the earliest."""
    times = np.bincount(names)
    first = places[np.concatenate([[0], np.cumsum(times)[:-1]])]
    spans = before[first + size] - before[first]
    best = np.lexsort((first, -spans, -times))[0]
    return places[names == best]


def covered(places: NDArray[np.int64], n: int, lengths: NDArray[np.int64]) -> int:
    """Characters of the words that lie in at least one of the n-grams that begin at `places` (each once)."""
    edges = np.zeros(len(lengths) + 1, np.int64)
    edges[places] += 1
    edges[places + n] -= 1
    return int(lengths[np.cumsum(edges[:-1]) > 0].sum())
