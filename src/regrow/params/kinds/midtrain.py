"""Midtraining: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Stage
from regrow.params.train import Training


class Midtrain(Training):
    """Stage 2: high-quality and task text, linear decay to zero, state carried over."""

    steps: int = Field(default=400, ge=1)
    checkpoint_every: int = Field(default=200, ge=1)
    second_seed: int = 1
    """of the data order of the second run, for the soup"""


class Entry(Stage):
    """Every next token of a better mix."""

    names = {"midtrain": {}, "midtrain_b": {"order": 2}}
    reads = ("midtrain_data",)

    kind: Literal["midtrain"] = "midtrain"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()
    order: int = Field(default=1, ge=1, le=26)
    """which order of the data: 1 under `seed`, 2 under `second_seed`, 3 under the one after that; the others are
    for a soup"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.order > 1


class Sections(Block):
    """The sections of a params file with these settings."""

    midtrain: Midtrain = Midtrain()
