"""Sums whose order does not depend on how many processes share the work.

The values of 2**k micro-batches are added along a binary tree over the micro-batch index:
((0 + 1) + (2 + 3)) + ... A process that owns 2**j neighbouring micro-batches adds its subtree
with j + 1 buffers; the processes then combine their subtrees level by level (recursive
doubling), and since a + b = b + a bit for bit, every one of them ends with the same sum.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from regrow.numerics.torch import optim


class TreeSum:
    """A binary counter of partial sums: `add` micro-batches in order, then take the `total`."""

    def __init__(self) -> None:
        self._partial: list[tuple[int, list[Tensor]]] = []

    def add(self, values: Sequence[Tensor]) -> None:
        """Add one micro-batch's tensors (they are taken over and changed in place)."""
        level, current = 0, list(values)
        while self._partial and self._partial[-1][0] == level:
            _, left = self._partial.pop()
            optim.tree_add(left, current)
            level, current = level + 1, left
        self._partial.append((level, current))

    def total(self) -> list[Tensor]:
        """The sum. Raises ValueError unless a power of two of micro-batches was added."""
        if len(self._partial) != 1:
            raise ValueError("a tree sums a power of two of micro-batches")
        return self._partial.pop()[1]


def share(count: int, rank: int, size: int) -> range:
    """The micro-batches of process `rank` of `size`: a subtree.

    Raises:
        ValueError: `count` cannot be cut into `size` subtrees.
    """
    if size < 1 or size & (size - 1) or count % size:
        raise ValueError(
            f"{count} micro-batches cannot be shared by {size} processes: use a power of two "
            f"of at most {count}, or smaller micro-batches"
        )
    own = count // size
    return range(rank * own, (rank + 1) * own)
