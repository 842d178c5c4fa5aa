"""Which training sequence stands at which position: a function and its inverse, no file.

Position p (counted over the whole run) lies in epoch p // n; within an epoch the order of
the n sequences is a keyed permutation, with another key for every epoch. Step s
(from 1) of a run with batches of b takes positions (s - 1) b .. s b - 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.permutation import Permutation


class Order:
    """The order of `sequences` training sequences in a `stage` under a `seed`."""

    def __init__(self, sequences: int, seed: int, stage: str = "pretrain") -> None:
        self.sequences = sequences
        self.key = f"{stage} order seed {seed}"
        self._epoch = lru_cache(maxsize=4)(self._permutation)

    def _permutation(self, epoch: int) -> Permutation:
        return Permutation(self.sequences, f"{self.key} epoch {epoch}")

    def at(self, position: int, count: int = 1) -> NDArray[np.int64]:
        """Sequences at positions position .. position + count - 1: (count,)."""
        positions = np.arange(position, position + count, dtype=np.int64)
        epochs = positions // self.sequences
        found = np.empty(count, dtype=np.int64)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            found[here] = self._epoch(int(epoch)).forward(positions[here] % self.sequences)
        return found

    def positions(self, sequence: int, end: int) -> list[int]:
        """Positions below `end` at which `sequence` stands, ascending: one per epoch begun."""
        found = []
        for epoch in range(-(-end // self.sequences)):
            offset = int(self._permutation(epoch).inverse(sequence))
            found.append(epoch * self.sequences + offset)
        return [position for position in found if position < end]


def steps_of(positions: list[int], batch: int) -> list[int]:
    """The steps (from 1) that took these positions in batches of `batch`."""
    return [position // batch + 1 for position in positions]
