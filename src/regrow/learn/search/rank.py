"""How well predictions say what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regrow.numerics import exact

Pair = tuple[float, float]
"""predicted, measured"""


def worth(pairs: Sequence[Pair]) -> dict[str, float | int | None]:
    """Spearman's rank correlation, the mean and the largest absolute error, and R² (1: all said, 0: no better than the mean).

    None where it is not defined: fewer than two pairs, or values that are all equal.
    """
    if not pairs:
        return {"proxies": 0, "rank": None, "error": None, "largest": None, "r2": None}
    errors = [abs(a - b) for a, b in pairs]
    measured = [b for _, b in pairs]
    middle = exact.mean(measured)
    spread = exact.total((b - middle) ** 2 for b in measured)
    return {
        "proxies": len(pairs),
        "rank": spearman(pairs),
        "error": exact.mean(errors),
        "largest": max(errors),
        "r2": 1 - exact.total(e * e for e in errors) / spread if spread else None,
    }


def spearman(pairs: Sequence[Pair]) -> float | None:
    """The correlation of the ranks, equal values sharing the mean of theirs; None where one side is all equal."""
    a, b = ranks([p for p, _ in pairs]), ranks([m for _, m in pairs])
    middle = (len(pairs) + 1) / 2
    cross = exact.total((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    spread = exact.total((x - middle) ** 2 for x in a) * exact.total((y - middle) ** 2 for y in b)
    return cross / float(np.sqrt(spread)) if spread else None


def ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values have the mean of the ranks that they take."""
    return [
        exact.total(1.0 if other < value else 0.5 if other == value else 0.0 for other in values)
        + 0.5
        for value in values
    ]
