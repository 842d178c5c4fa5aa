"""Precision and recall of a classifier on documents that it has not learned from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any


def ratio(part: int, whole: int) -> float | None:
    """part / whole, None where there is nothing to divide by."""
    return part / whole if whole else None


def report(truth: list[str], guess: list[str], classes: tuple[str, ...]) -> dict[str, Any]:
    """Accuracy, precision and recall per class, and the confusion counts (truth -> guess).

    `majority` is the accuracy of always naming the test share's most frequent class.
    """
    counts = {c: {d: 0 for d in classes} for c in classes}
    for true, guessed in zip(truth, guess, strict=True):
        counts[true][guessed] += 1
    support = {c: sum(counts[c].values()) for c in classes}
    guessed_as = {c: sum(counts[d][c] for d in classes) for c in classes}
    return {
        "test_documents": len(truth),
        "accuracy": ratio(sum(counts[c][c] for c in classes), len(truth)),
        "majority": ratio(max(support.values(), default=0), len(truth)),
        "classes": {
            c: {
                "test_documents": support[c],
                "precision": ratio(counts[c][c], guessed_as[c]),
                "recall": ratio(counts[c][c], support[c]),
            }
            for c in classes
        },
        "confusion": counts,
    }


def auc(positive: list[float], negative: list[float]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    if not positive or not negative:
        return None
    ranked = sorted(negative)
    twice = sum(bisect_left(ranked, s) + bisect_right(ranked, s) for s in positive)
    return twice / (2 * len(positive) * len(negative))
