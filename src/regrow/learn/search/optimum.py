"""The mixture with the smallest mean prediction under supply limits, and how far from the best it can be at most.

As olmix's exact proposer (`fit/utils.py`): minimise the weighted mean of the predictions, plus a price on the
Kullback-Leibler divergence from the natural mix, over shares that sum to 1 and exceed no domain's limit. That is convex.
Olmix calls a solver of cones; here mirror descent by multiplication keeps every iterate a mixture, and the duality gap,
which bounds the distance from the best value, says when it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regrow.learn.search.law import Law
from regrow.numerics import exact

GAP = 1e-9
"""bits per byte within which the value is the best one; the descent also ends where its steps become too small"""
_STEPS = 20_000


@dataclass(frozen=True)
class Optimum:
    """A mixture by the order of the domains."""

    shares: list[float]
    value: float
    """of what is minimised, bits per byte"""
    gap: float
    """by so much at most is the smallest value below it"""


def optimum(
    laws: Sequence[Law],
    weights: Sequence[float],
    natural: Sequence[float],
    caps: Sequence[float],
    divergence: float,
) -> Optimum:
    """The best mixture.

    Args:
        laws: one per evaluation.
        weights: theirs, which sum to 1.
        natural: share of each domain in what there is, > 0.
        caps: the largest share that each domain's supply allows.
        divergence: price of a nat of divergence.

    Raises:
        ValueError: the limits do not leave a whole.
    """
    if exact.total(caps) < 1:
        raise ValueError(
            f"search: all domains together fill {exact.total(caps):.3f} of the mix that is wanted. Fix: a smaller mix.tokens, or a "
            "higher search.max_repeats or mix.max_repeats."
        )

    def value(x: list[float]) -> float:
        parts = [w * law.predict(x) for w, law in zip(weights, laws, strict=True)]
        if divergence:
            logs = exact.log([a / q for a, q in zip(x, natural, strict=True)]).tolist()
            parts += [divergence * a * log for a, log in zip(x, logs, strict=True) if a > 0]
        return exact.total(parts)

    def slope(x: list[float]) -> list[float]:
        found = [
            exact.total(w * g for w, g in zip(weights, each, strict=True))
            for each in zip(*(law.gradient(x) for law in laws), strict=True)
        ]
        if divergence:
            logs = exact.log([a / q for a, q in zip(x, natural, strict=True)]).tolist()
            found = [g + divergence * (log + 1) for g, log in zip(found, logs, strict=True)]
        return found

    x = capped(natural, caps)
    best, rate, gap = value(x), 1.0, float("inf")
    for _ in range(_STEPS):
        g = slope(x)
        corner = cheapest(g, caps)
        gap = exact.total(d * (a - b) for d, a, b in zip(g, x, corner, strict=True))
        if gap <= GAP or rate < 1e-12:
            break
        low = min(g)
        factors = exact.exp([-rate * (d - low) for d in g]).tolist()
        moved = capped([a * f for a, f in zip(x, factors, strict=True)], caps)
        found = value(moved)
        if found < best:
            x, best, rate = moved, found, rate * 1.3
        else:
            rate /= 2
    return Optimum(x, best, max(gap, 0.0))


def capped(weights: Sequence[float], caps: Sequence[float]) -> list[float]:
    """The shares in proportion to `weights` (> 0), but none above its cap: they sum to 1. Caps sum to 1 at least."""
    full: set[int] = set()
    while True:
        rest = 1.0 - exact.total(caps[i] for i in sorted(full))
        whole = exact.total(w for i, w in enumerate(weights) if i not in full)
        if whole <= 0:
            return [float(cap) for cap in caps]
        shares = [caps[i] if i in full else rest * (w / whole) for i, w in enumerate(weights)]
        over = {i for i, share in enumerate(shares) if i not in full and share > caps[i]}
        if not over:
            return shares
        full |= over


def cheapest(prices: Sequence[float], caps: Sequence[float]) -> list[float]:
    """The mixture within the caps with the smallest sum of price times share."""
    found, rest = [0.0] * len(prices), 1.0
    for i in sorted(range(len(prices)), key=lambda i: (prices[i], i)):
        found[i] = min(rest, caps[i])
        rest = max(0.0, rest - found[i])
    return found


def decimals(shares: Sequence[float], caps: Sequence[float], places: int = 4) -> list[float]:
    """The shares in so many decimals, summing to 1 and each under its cap as far as that can be."""
    unit = 10**places
    whole = [int(np.floor(share * unit)) for share in shares]
    room = [int(np.floor(min(cap, 1.0) * unit)) for cap in caps]
    order = sorted(range(len(shares)), key=lambda i: (whole[i] - shares[i] * unit, i))
    while left := unit - sum(whole):
        able = [i for i in order if whole[i] < room[i]]
        for i in (able or order)[:left]:
            whole[i] += 1
    return [n / unit for n in whole]
