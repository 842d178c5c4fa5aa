"""Maximal spans of a text, and what share of it they cover."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def maximal(matches: Ints, least: int) -> list[tuple[int, int]]:
    """The spans, first token and end, that no other span contains, in the order of the text.

    Args:
        matches: per token the length of the longest match that begins there.
        least: tokens of the shortest span.
    """
    found = []
    reached = 0
    for begin, length in enumerate(matches.tolist()):
        if length >= least and begin + length > reached:
            found.append((begin, begin + length))
            reached = begin + length
    return found


def covered(matches: Ints, least: int) -> NDArray[np.bool_]:
    """Which tokens are in a match of at least `least` tokens."""
    return mask(
        ((begin, begin + n) for begin, n in enumerate(matches.tolist()) if n >= least), len(matches)
    )


def mask(spans: Iterable[tuple[int, int]], size: int) -> NDArray[np.bool_]:
    """Which of `size` tokens are in one of the spans."""
    found = np.zeros(size, dtype=bool)
    for begin, end in spans:
        found[begin:end] = True
    return found


def best(spans: list[tuple[int, int]], size: int) -> Ints:
    """Per token the number of the longest span over it, the first of equals; -1 where there is none."""
    found = np.full(size, -1, dtype=np.int64)
    for number in sorted(
        range(len(spans)), key=lambda n: (spans[n][0] - spans[n][1], n), reverse=True
    ):
        begin, end = spans[number]
        found[begin:end] = number
    return found


def bits(tokens: Ints, unigrams: Ints) -> float:
    """-log2 of the probability of tokens that are drawn one by one as often as they are in the data.

    Tokens that are not in the data count as if they were there once.
    """
    counts = np.ones(len(tokens))
    known = tokens < len(unigrams)
    counts[known] = np.maximum(unigrams[tokens[known]], 1)
    return float(np.sum(np.log2(max(int(unigrams.sum()), 1)) - np.log2(counts)))
