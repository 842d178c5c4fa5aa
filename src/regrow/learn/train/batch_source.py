"""Where the micro-batches of a step come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regrow.learn.train.engine import Engine


class BatchSource:
    """The micro-batches of each step, fixed in content whatever the number of processes.

    The hooks serve sources that make their data as they go (reinforcement learning); a source
    over stored data needs none of them.
    """

    per_step: int
    """micro-batches of an update, a power of two"""
    updates: int = 1
    """updates of a step: micro-batches 0 .. per_step - 1 make the first, and so on"""

    def get(self, step: int, index: int) -> Any:
        """Micro-batch `index` (below `per_step * updates`) of `step` (from 1)."""
        raise NotImplementedError

    def tokens(self, step: int) -> int:
        """Tokens that `step` reads, over all micro-batches and processes."""
        raise NotImplementedError

    def begin(self, engine: Engine, step: int) -> None:
        """Called in every process before the micro-batches of `step` are asked for."""

    def end(self, engine: Engine, step: int) -> dict[str, float]:
        """Called in every process after the last update of `step`; returns further metrics."""
        return {}

    def save(self, folder: Path) -> None:
        """Write what belongs into a checkpoint beside model and optimizer (of this segment)."""

    def restore(self, folder: Path) -> None:
        """Take over what `save` wrote for an unfinished segment."""
