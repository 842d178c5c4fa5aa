"""Scores of single items: what every figure, interval and paired difference is computed from.

A row says what probe was taken of which item (a document, task, pair or needle), in which
family (domain, task family, source, bin), which sample it is of that item, and the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from regrow.data.tables import parquet
from regrow.learn.evaluate.bootstrap import MICRO, Estimate, Score, by_domain
from regrow.numerics import exact

DIGITS = 6
"""decimals of every figure"""
Z2 = 3.841458820694124
"""the square of the normal quantile of 97.5 %"""
SCHEMA: dict[str, type[pl.DataType]] = {
    "probe": pl.String,
    "item": pl.String,
    "family": pl.String,
    "sample": pl.Int32,
    "value": pl.Float64,
}


class Item(NamedTuple):
    """One score."""

    probe: str
    item: str
    family: str
    sample: int
    value: float


def write(items: Iterable[Item], path: Path) -> None:
    """Write `items.parquet`, sorted by probe, family, item and sample."""
    rows = sorted(items, key=lambda i: (i.probe, i.family, i.item, i.sample))
    parquet.write(pl.DataFrame(rows, schema=SCHEMA, orient="row"), path)


def read(path: Path) -> dict[str, list[Item]]:
    """The items of a checkpoint by probe."""
    found: dict[str, list[Item]] = {}
    for row in parquet.read(path, list(SCHEMA)).iter_rows():
        found.setdefault(row[0], []).append(Item(*row))
    return found


def averaged(
    items: Iterable[Item], of: Callable[[Sequence[float]], float] = exact.mean
) -> dict[tuple[str, str], float]:
    """(family, item) -> the mean (or another function) of the item's samples, in their order."""
    values: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for item in items:
        values.setdefault((item.family, item.item), []).append((item.sample, item.value))
    return {name: of([v for _, v in sorted(values[name])]) for name in sorted(values)}


Scores = Mapping[tuple[str, str], Score]
"""(family, item) -> score"""


def scores(values: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], Score]:
    """Values as scores of weight 1."""
    return {name: Score(round(value * MICRO), 1) for name, value in values.items()}


def figure(found: Scores, resamples: int, seed: int, *, rate: bool = False) -> dict[str, Any]:
    """Mean over items with a 95 % interval: `value`, `low`, `high`, `items`, and `families`.

    Items are resampled within their family. `rate`: the values lie in 0 .. 1; where all of them are
    0 (or all 1) no resample can differ, and the interval reaches as far as Wilson's would
    (Wilson, JASA 22, 1927): z^2 / (n + z^2).

    Raises:
        ValueError: no items.
    """
    grouped: dict[str, list[Score]] = {}
    for (family, _), score in sorted(found.items()):
        grouped.setdefault(family, []).append(score)
    if not grouped:
        raise ValueError("a figure of no items")
    each, overall, _ = by_domain(grouped, resamples, seed)
    everything = [score for members in grouped.values() for score in members]
    shown = _shown(overall, everything, rate)
    if len(grouped) > 1 or "" not in grouped:
        shown["families"] = {name: _shown(each[name], grouped[name], rate) for name in grouped}
    return shown


def shared(before: Scores, after: Scores) -> tuple[dict[tuple[str, str], Score], ...]:
    """Both, cut down to the items that both have."""
    both = before.keys() & after.keys()
    return tuple({name: side[name] for name in sorted(both)} for side in (before, after))


def difference(before: Scores, after: Scores) -> dict[tuple[str, str], Score]:
    """after - before of the items that both have; their weights are those of `after`."""
    old, new = shared(before, after)
    return {
        name: Score(score.microbits - old[name].microbits, score.size)
        for name, score in new.items()
    }


def _shown(estimate: Estimate, members: Sequence[Score], rate: bool) -> dict[str, Any]:
    low, high, n = estimate.low, estimate.high, len(members)
    if rate and all(score.microbits == 0 for score in members):
        high = Z2 / (n + Z2)
    elif rate and all(score.microbits == MICRO * score.size for score in members):
        low = n / (n + Z2)
    return {
        "value": round(estimate.value, DIGITS),
        "low": round(low, DIGITS),
        "high": round(high, DIGITS),
        "items": n,
    }
