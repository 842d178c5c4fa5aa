"""One training step, and the state that a run carries from step to step.

The same loop serves every objective and any number of processes: micro-batches of fixed
shape, gradients and losses added along a binary tree over the micro-batch index, one norm,
one judgement, one update.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.learn.train import finite
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.metrics import Row
from regrow.learn.train.objective import Objective
from regrow.learn.train.optimizer import Optimizer
from regrow.learn.train.process_group import ProcessGroup
from regrow.learn.train.schedule import Schedule
from regrow.learn.train.skip import Skip
from regrow.learn.train.tree_sum import TreeSum, share
from regrow.numerics.torch import optim

CLIP_EPS = 1e-6
"""as in torch.nn.utils.clip_grad_norm_"""


@dataclass
class Engine:
    """A model in training. `source` may be replaced between steps."""

    model: Olmo3ForCausalLM
    objective: Objective
    optimizer: Optimizer
    schedule: Schedule
    skip: Skip
    source: BatchSource
    group: ProcessGroup
    clip: float
    step: int = 0
    """steps done"""
    tokens: int = 0
    """tokens seen"""
    lost: int = 0
    """steps in a row, up to the last one, without a finite loss and gradient"""

    def __post_init__(self) -> None:
        self.weights = dict(sorted(self.model.named_parameters()))

    def train_step(self) -> Row:
        """Do the next step and return its metrics.

        Raises:
            FloatingPointError: weights, losses or gradients are no longer finite; see `finite`.
        """
        step = self.step + 1
        source = self.source
        source.begin(self, step)
        rate = self.schedule(step)
        self.optimizer.set_rate(rate)
        done = [self._update(step, number) for number in range(source.updates)]
        self.step = step
        self.tokens += source.tokens(step)
        parts = [sum(values) / len(done) for values in zip(*(d.parts for d in done), strict=True)]
        named = dict(zip(self.objective.names, parts, strict=True))
        row = Row(
            step=step,
            loss=named.pop("loss"),
            z_loss=named.pop("z_loss", 0.0),
            grad_norm=sum(d.norm for d in done) / len(done),
            lr=rate,
            tokens=self.tokens,
            skipped=any(d.skipped for d in done),
            extra=named | source.end(self, step),
        )
        self.lost = 0 if finite.finite(row) else self.lost + 1
        if self.lost:
            broken = next((d.broken for d in done if d.broken), None)
            finite.after_step(row, self.lost, self.weights, broken)
        return row

    def forget(self) -> None:
        """Back to step 0 without optimizer state; the weights are still to be written."""
        self.step = self.tokens = self.lost = 0
        self.optimizer.forget()
        self.skip.restore({"losses": [], "norms": []})

    def _update(self, step: int, number: int) -> _Update:
        total = self._gradient(step, number)
        if total is None:  # nothing to learn from
            return _Update([0.0 for _ in self.objective.names], 0.0, True)
        parts = [float(value) for value in total.pop().tolist()]
        norm = optim.grad_norm(total)
        skipped = self.skip.judge(parts[0], norm)
        if not skipped:
            if norm > self.clip:
                optim.scale(total, self.clip / (norm + CLIP_EPS))
            for weight, gradient in zip(self.weights.values(), total, strict=True):
                weight.grad = gradient
            self.group.update()
            rate = self.optimizer.param_groups[0]["lr"]
            finite.after_update(step, rate, self.weights, self.optimizer.tensors())
        for weight in self.weights.values():
            weight.grad = None
        broken = None
        if not math.isfinite(norm):
            broken = finite.unsound(dict(zip(self.weights, total, strict=True)))
        return _Update(parts, norm, skipped, broken)

    def _gradient(self, step: int, number: int) -> list[Tensor] | None:
        """An update's gradients in the order of `weights`, and at the end its loss parts.

        None if its micro-batches weigh nothing.
        """
        count = self.source.per_step
        own = share(count, self.group.rank, self.group.size)
        batches = {i: self.source.get(step, number * count + i) for i in own}
        weights = {index: self.objective.weight(batch) for index, batch in batches.items()}
        weight = sum(weights.values())
        if self.group.size > 1:
            shared = torch.tensor([weight], dtype=torch.int64)
            self.group.combine([shared])
            weight = int(shared)
        if not weight:
            return None
        tree = TreeSum()
        for index, batch in batches.items():
            if not weights[index]:
                empty = [torch.zeros_like(p) for p in self.weights.values()]
                tree.add([*empty, torch.zeros(len(self.objective.names), dtype=torch.float64)])
                continue
            loss, parts = self.objective.loss(self.group.model, batch, weight)
            self.group.backward(loss)
            gradients = []
            for parameter in self.weights.values():
                assert parameter.grad is not None
                gradients.append(parameter.grad.contiguous())
                parameter.grad = None
            tree.add([*gradients, torch.stack(parts).double()])
            del (
                gradients,
                loss,
                parts,
            )  # else they live on through the next forward and backward pass
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
        """Weights (`model/…`) and optimizer state (`optimizer/…`) by name."""
        model = {f"model/{name}": value.detach() for name, value in self.weights.items()}
        state = {f"optimizer/{name}": value for name, value in self.optimizer.tensors().items()}
        return model | state


@dataclass(frozen=True)
class _Update:
    parts: list[float]
    norm: float
    skipped: bool
    broken: tuple[str, float] | None = None
    """the first weight whose gradient is not finite, and its largest value"""
