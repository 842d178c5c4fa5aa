"""Where the spans of a text stand: places, owners and roles in every data set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrow.ask.explain.dataset import DataSet, role
from regrow.ask.explain.facts import origins

Ints = NDArray[np.int64]
FEW = 10_000
"""places up to which the role of each is reported; of more, that of evenly spaced ones"""


@dataclass
class Places:
    """Every place of one span in one data set."""

    data: DataSet
    rows: Ints
    offsets: Ints
    numbers: Ints
    """of the owners (data.owners)"""
    length: int

    @cached_property
    def views(self) -> int:
        """How often training took these places."""
        return int(self.data.times[self.rows].sum())

    def roles(self) -> list[tuple[str, int]]:
        """What training did with the span, and at how many places."""
        chosen = np.arange(len(self.rows))
        if len(chosen) > FEW:
            chosen = np.linspace(0, len(chosen) - 1, FEW).astype(np.int64)
        each = self.role_of(chosen)
        return [
            (name, round(n * len(self.rows) / len(chosen)))
            for name, n in Counter(each).most_common()
        ]

    def role_of(self, which: Ints) -> list[str]:
        """The role of some of the places."""
        rows, offsets = self.rows[which], self.offsets[which]
        learned = self.data.index.learned(rows, offsets, self.length)
        counts = [None] * len(rows) if learned is None else learned.tolist()
        parts = self.data.parts(rows)
        return [
            role(self.data.kind, part, n, self.length)
            for part, n in zip(parts, counts, strict=True)
        ]

    def by_run(self) -> list[dict[str, Any]]:
        """Per stage that took any of these places: times, and the first and the last step."""
        found = []
        unique, counts = np.unique(self.rows, return_counts=True)
        for run in self.data.exposures:
            views = int((run.times[unique] * counts).sum())
            if views:
                steps = run.steps(unique)
                found.append(
                    {
                        "stage": run.stage,
                        "checkpoint": run.checkpoint,
                        "views": views,
                        "first_step": steps[0],
                        "last_step": steps[-1],
                    }
                )
        return found


@dataclass
class Found:
    """One span and its places in the data sets that have it."""

    begin: int
    end: int
    bits: float
    places: list[Places] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Of the span."""
        return self.end - self.begin


class Origins:
    """What owners were made of, over all data sets: a document of the crawl, a task."""

    def __init__(self, data: list[DataSet]) -> None:
        known: dict[str, int] = {}
        self._of: dict[str, Ints] = {}
        for item in data:
            numbers = [known.setdefault(id, len(known)) for id in origins(item)]
            self._of[item.name] = np.array(numbers, dtype=np.int64)
        self.ids = list(known)
        self.weight = np.zeros(len(known), dtype=np.int64)
        """tokens of the present text that an origin has, span by span"""

    def of(self, places: Places) -> Ints:
        """The number of the origin of each place."""
        return self._of[places.data.name][places.numbers]

    def distinct(self, span: Found) -> Ints:
        """The origins of a span, each once."""
        every = [self.of(places) for places in span.places]
        return np.unique(np.concatenate(every)) if every else np.empty(0, dtype=np.int64)

    def weigh(self, spans: list[Found]) -> None:
        """Count, for each origin, the tokens of the spans that it has."""
        self.weight[:] = 0
        for span in spans:
            self.weight[self.distinct(span)] += span.tokens

    def top(self, span: Found, most: int) -> list[int]:
        """The origins of a span that have most of the whole text; of equals the first in training."""
        here = self.distinct(span)
        return here[np.lexsort((here, -self.weight[here]))][:most].tolist()
