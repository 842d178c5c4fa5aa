"""Tokens, arithmetic, memory and checkpoints of each training stage of a params file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regrow.ask.scale import flops, shapes
from regrow.params import points
from regrow.params.schema import Params
from regrow.params.stages import Stage
from regrow.recipe.kind import Kind
from regrow.recipe.kinds import KINDS


@dataclass(frozen=True)
class StageCost:
    """One run of one stage."""

    name: str
    steps: int
    batch: int
    """rows per step"""
    row: str
    """what a row of the batch is: sequences, examples, pairs, answers"""
    length: int
    """tokens of a row; the most that one can have where rows have unequal lengths"""
    at_most: bool
    checkpoints: int
    micro: int
    """rows that a rank holds at once"""
    optimizer: str
    trained: float = 1.0
    """sequences per row that are trained on (a pair has two)"""
    forwards: float = 0.0
    """further forward passes per trained token: a reference model, sampled answers"""

    @property
    def tokens(self) -> int:
        """That gradients are computed on."""
        return int(self.steps * self.batch * self.length * self.trained)

    def operations(self, params: Params, vocabulary: int) -> float:
        """Floating-point operations of the whole stage."""
        cost = flops.training(params.model, vocabulary, self.length).total
        return self.tokens * cost * (1 + self.forwards / 3)


def plans(params: Params) -> Iterator[StageCost]:
    """Every training run of the recipe (without other seeds), in its order."""
    annealed = False
    for stage in params.stages:
        kind = KINDS[stage.kind]
        if stage.kind == "midtrain" and not annealed:
            annealed = True
            candidates = len(params.anneal.candidates) + 1  # and the control
            yield _plan(
                params, stage, kind, name="anneal", block=params.anneal, checkpoints=0,
                steps=params.anneal.steps * candidates,
            )  # fmt: skip
        if stage.settings:
            block = getattr(params, stage.settings)
            made = points.checkpoints(params, stage)
            yield _plan(
                params, stage, kind, name=stage.name, block=block, checkpoints=len(made),
                steps=max(made) if stage.control else block.steps,
            )  # fmt: skip


def _plan(
    params: Params, stage: Stage, kind: Kind, *, name: str, block: Any, checkpoints: int, steps: int
) -> StageCost:
    times = kind.rows(params, stage)
    return StageCost(
        name=name,
        steps=steps,
        batch=block.batch_sequences * times,
        row=kind.unit,
        length=kind.length(params, stage),
        at_most=kind.unit != "sequences",
        checkpoints=checkpoints,
        micro=block.micro_batch_sequences * times,
        optimizer=block.optimizer.name,
        trained=kind.trained,
        forwards=kind.forwards(block),
    )


def checkpoint_bytes(params: Params, vocabulary: int, optimizer: str) -> int:
    """Of one checkpoint: weights and optimizer states in 32 bits (the rest is small)."""
    weights = shapes.parameters(params.model, vocabulary)
    return 4 * (weights + shapes.moments(params.model, vocabulary, optimizer))
