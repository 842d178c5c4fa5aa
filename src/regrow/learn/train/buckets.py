"""Examples of unequal length in micro-batches of nearly equal length, in a computed order.

In each epoch the examples are permuted (a keyed permutation, another key for every epoch) and
the remainder that fills no micro-batch is left out; what stays is sorted by length, cut into
buckets of one micro-batch, and the buckets are permuted. So little is padded, every step mixes
lengths, and an epoch groups the examples in another way than the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from regrow.numerics.permutation import Permutation


class Buckets:
    """Buckets of `size` examples, for examples of these `lengths`."""

    def __init__(self, lengths: Sequence[int], size: int, key: str) -> None:
        """`key` names the order. Raises ValueError for fewer examples than a bucket holds."""
        if len(lengths) < size:
            raise ValueError(
                f"{len(lengths)} examples do not fill a micro-batch of {size}: lower "
                "micro_batch_sequences or make more examples"
            )
        self.lengths = lengths
        self.size = size
        self.key = key
        self.per_epoch = len(lengths) // size
        self._epoch = lru_cache(maxsize=2)(self._make)

    def _make(self, epoch: int) -> list[list[int]]:
        count = len(self.lengths)
        examples = Permutation(count, f"{self.key} epoch {epoch}")
        drawn = examples.forward(np.arange(self.per_epoch * self.size)).tolist()
        drawn.sort(key=lambda example: self.lengths[example])  # stable: ties stay permuted
        buckets = [drawn[i : i + self.size] for i in range(0, len(drawn), self.size)]
        order = Permutation(self.per_epoch, f"{self.key} buckets epoch {epoch}")
        return [buckets[i] for i in order.forward(np.arange(self.per_epoch)).tolist()]

    def at(self, position: int) -> list[int]:
        """The examples of the bucket at `position`, counted in buckets over all epochs."""
        epoch, place = divmod(position, self.per_epoch)
        return self._epoch(epoch)[place]
