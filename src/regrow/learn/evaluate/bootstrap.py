"""Bootstrap intervals over documents or items (Efron, Annals of Statistics 7, 1979).

A ratio estimator: bits per byte is the sum of bits over the sum of bytes of the documents
that were drawn, so long documents weigh as much in a resample as in the estimate. The
documents of a domain are resampled within that domain (stratified), since the number of
documents per domain is set, not found. Sums of bits are integers (micro-bits), so no
order of addition can change the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.random import Stream

MICRO = 1_000_000
LOW, HIGH = 0.025, 0.975
DRAWS_AT_ONCE = 1 << 20
"""bounds memory, not results"""


@dataclass(frozen=True)
class Score:
    """What one document cost: micro-bits (bits x 10**6, rounded) and bytes.

    Of any other ratio: millionths of the numerator (a loss, a pass) and the weight of the item.
    """

    microbits: int
    size: int


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % percentile interval."""

    value: float
    low: float
    high: float


@lru_cache(maxsize=64)
def _counts(n: int, resamples: int, first: int, name: tuple[str | int, ...]) -> NDArray[np.int64]:
    """How often each of n items is drawn in resamples first .. first + resamples - 1: (resamples, n)."""
    picks = Stream("bootstrap", *name).integers(resamples * n, n, start=first * n)
    places = picks + np.repeat(np.arange(resamples, dtype=np.int64) * n, n)
    return np.bincount(places, minlength=resamples * n).reshape(resamples, n)


def sums(
    values: NDArray[np.int64], resamples: int, name: tuple[str | int, ...]
) -> NDArray[np.int64]:
    """Sums of the columns of `values` (items, columns) over each resample: (resamples, columns).

    Integers, so exact. Equal names draw equal resamples, whatever the values.
    """
    n = len(values)
    block = max(1, DRAWS_AT_ONCE // n)
    parts = [
        _counts(n, min(block, resamples - first), first, name) @ values
        for first in range(0, resamples, block)
    ]
    return np.concatenate(parts)


def totals(
    scores: Sequence[Score], resamples: int, name: tuple[str | int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Summed micro-bits and bytes of each resample of `scores`: two arrays (resamples,)."""
    table = np.array([(s.microbits, s.size) for s in scores], dtype=np.int64)
    found = sums(table, resamples, name)
    return found[:, 0], found[:, 1]


def percentile(values: NDArray[np.float64], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = np.sort(values)
    return float(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)])


def _estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    return Estimate(value, percentile(resampled, LOW), percentile(resampled, HIGH))


def ratio(scores: Sequence[Score]) -> float:
    """Bits per byte of all `scores` together. Raises ValueError for no bytes."""
    size = sum(s.size for s in scores)
    if not size:
        raise ValueError("bits per byte of no bytes")
    return sum(s.microbits for s in scores) / MICRO / size


def by_domain(
    domains: Mapping[str, Sequence[Score]], resamples: int, seed: int
) -> tuple[dict[str, Estimate], Estimate, Estimate]:
    """Intervals per domain, over all documents, and of the plain mean of the domains.

    A domain with one document has no spread to resample: its interval is a point.
    """
    names = sorted(domains)
    drawn = {name: totals(domains[name], resamples, (seed, name)) for name in names}
    ratios = {name: bits / MICRO / size for name, (bits, size) in drawn.items()}
    each = {name: _estimate(ratio(domains[name]), ratios[name]) for name in names}

    bits = np.add.reduce(np.stack([drawn[name][0] for name in names]), axis=0)
    size = np.add.reduce(np.stack([drawn[name][1] for name in names]), axis=0)
    everything = [score for name in names for score in domains[name]]
    overall = _estimate(ratio(everything), bits / MICRO / size)

    mean = np.zeros(resamples)
    value = 0.0
    for name in names:
        mean = mean + ratios[name]
        value += each[name].value
    return each, overall, _estimate(value / len(names), mean / len(names))
