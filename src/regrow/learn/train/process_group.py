"""The processes that share a step. SingleProcess is one process; `parallel` has more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor


class ProcessGroup(Protocol):
    """How the engine runs forward, backward, sums and update."""

    rank: int
    size: int
    model: Callable[..., Any]

    def backward(self, loss: Tensor) -> None:
        """Gradients of this process's micro-batch, into `.grad`."""

    def combine(self, tensors: list[Tensor]) -> None:
        """Add the other processes' tensors, in the order of the tree, in place."""

    def update(self) -> None:
        """One optimizer step from `.grad`."""

    def agree(self, flag: bool) -> bool:
        """True everywhere if it is True anywhere."""


class SingleProcess:
    """One process."""

    rank, size = 0, 1

    def __init__(self, model: Callable[..., Any], optimizer: Any) -> None:
        self.model = model
        self._optimizer = optimizer

    def backward(self, loss: Tensor) -> None:
        """See ProcessGroup."""
        loss.backward()

    def combine(self, tensors: list[Tensor]) -> None:
        """See ProcessGroup."""

    def update(self) -> None:
        """See ProcessGroup."""
        self._optimizer.step()

    def agree(self, flag: bool) -> bool:
        """See ProcessGroup."""
        return flag
