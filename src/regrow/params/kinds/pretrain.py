"""Pretraining: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Stage
from regrow.params.train import Training


class Pretrain(Training):
    """Stage 1."""

    steps: int = Field(default=480, ge=1)
    checkpoint_every: int = Field(default=96, ge=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    final_lr: float = Field(default=0.1, ge=0, le=1)

    def checkpoints(self) -> list[int]:
        """Steps at which a checkpoint is written, 0 (the initialisation) included."""
        return [0, *super().checkpoints()]


class Entry(Stage):
    """From initial weights: every next token of a pack."""

    names = {"pretrain": {}}
    reads = ("pack",)

    kind: Literal["pretrain"] = "pretrain"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()


class Sections(Block):
    """The sections of a params file with these settings."""

    pretrain: Pretrain = Pretrain()
