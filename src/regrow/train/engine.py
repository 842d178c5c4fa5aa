"""One training step, and the state that a run carries from step to step.

The same loop serves every objective and any number of processes: micro-batches of fixed
shape, gradients and losses added along a binary tree over the micro-batch index, one norm,
one judgement, one update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from regrow.numerics.torch import optim
from regrow.train.group import Group
from regrow.train.metrics import Row
from regrow.train.objective import Objective
from regrow.train.optimizer import Optimizer
from regrow.train.schedule import Cosine
from regrow.train.skip import Skip
from regrow.train.tree import Tree, share

CLIP_EPS = 1e-6
"""as in torch.nn.utils.clip_grad_norm_"""


class Source(Protocol):
    """Where micro-batches come from."""

    per_step: int
    tokens_per_step: int

    def get(self, step: int, index: int) -> Any:
        """Micro-batch `index` of `step` (from 1)."""


@dataclass
class Engine:
    """A model in training."""

    weights: dict[str, torch.nn.Parameter]
    """by name, sorted"""
    objective: Objective
    optimizer: Optimizer
    schedule: Cosine
    skip: Skip
    source: Source
    group: Group
    clip: float
    step: int = 0
    """steps done"""
    tokens: int = 0
    """tokens seen"""

    def train_step(self) -> Row:
        """Do the next step and return its metrics."""
        step = self.step + 1
        total = self._gradient(step)
        parts = [float(value) for value in total.pop().tolist()]
        norm = optim.grad_norm(total)
        rate = self.schedule(step)
        skipped = self.skip.judge(parts[0], norm)
        if not skipped:
            if norm > self.clip:
                optim.scale(total, self.clip / (norm + CLIP_EPS))
            for weight, gradient in zip(self.weights.values(), total, strict=True):
                weight.grad = gradient
            self.optimizer.set_rate(rate)
            self.group.update()
        for weight in self.weights.values():
            weight.grad = None
        self.step = step
        self.tokens += self.source.tokens_per_step
        return Row(
            step=step,
            loss=parts[0],
            z_loss=parts[1] if len(parts) > 1 else 0.0,
            grad_norm=norm,
            lr=rate,
            tokens=self.tokens,
            skipped=skipped,
        )

    def _gradient(self, step: int) -> list[Tensor]:
        """The step's gradients in the order of `weights`, and at the end its loss parts."""
        count = self.source.per_step
        own = share(count, self.group.rank, self.group.size)
        batches = {index: self.source.get(step, index) for index in own}
        weight = sum(self.objective.weight(batch) for batch in batches.values())
        if self.group.size > 1:
            shared = torch.tensor([weight], dtype=torch.int64)
            self.group.combine([shared])
            weight = int(shared)
        tree = Tree()
        for batch in batches.values():
            loss, parts = self.objective.loss(self.group.model, batch, weight)
            self.group.backward(loss)
            gradients = []
            for parameter in self.weights.values():
                assert parameter.grad is not None
                gradients.append(parameter.grad.contiguous())
                parameter.grad = None
            tree.add([*gradients, torch.stack(parts).double()])
        total = tree.total()
        self.group.combine(total)
        return total

    def position(self) -> dict[str, Any]:
        """The state besides tensors, as JSON values."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "updates": self.optimizer.applied,
            "skip": self.skip.state(),
        }

    def tensors(self) -> dict[str, Tensor]:
        """Weights (`model.…`) and optimizer state (`optimizer.…`) by name."""
        model = {f"model/{name}": value.detach() for name, value in self.weights.items()}
        state = {f"optimizer/{name}": value for name, value in self.optimizer.tensors().items()}
        return model | state
