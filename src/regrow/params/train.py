"""Pretraining: optimizer, schedule, batch, checkpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from regrow.params.base import Block


class Optimizer(Block):
    """AdamW with Olmo 3's settings, or Muon for the 2-D weights with AdamW for the rest."""

    name: Literal["adamw", "muon"] = "muon"
    learning_rate: float = Field(default=1e-2, gt=0)
    """peak"""
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    """decoupled; on 2-D weights except the embedding"""
    muon_momentum: float = Field(default=0.95, ge=0, lt=1)
    muon_iterations: int = Field(default=5, ge=1)
    """Newton-Schulz iterations"""
    clip: float = Field(default=1.0, gt=0)
    """ceiling of the global gradient norm"""
    skip_window: int = Field(default=128, ge=2)
    """steps over which loss and gradient norm are judged"""
    skip_sigmas: float = Field(default=6.0, gt=0)
    """a step whose loss or gradient norm lies more standard deviations above the mean is skipped"""


class Pretrain(Block):
    """Stage 1."""

    steps: int = Field(default=480, ge=1)
    checkpoint_every: int = Field(default=96, ge=1)
    """steps; each checkpoint is an artifact of its own"""
    batch_sequences: int = Field(default=8, ge=1)
    """sequences per step"""
    micro_batch_sequences: int = Field(default=4, ge=1)
    """sequences per micro-batch: part of the arithmetic, whatever the number of processes"""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """share of the steps"""
    final_lr: float = Field(default=0.1, ge=0, le=1)
    """of a cosine, as a share of the peak"""
    z_loss: float = Field(default=1e-5, ge=0)
    document_mask: bool = False
    """attend within documents only (Olmo 3: off in stages 1 and 2)"""
    digest_every: int = Field(default=20, ge=1)
    """steps between two links of the chain of state digests"""
    optimizer: Optimizer = Optimizer()
    seed: int = 0
    """of the data order"""

    @model_validator(mode="after")
    def _fits(self) -> Pretrain:
        n, rest = divmod(self.batch_sequences, self.micro_batch_sequences)
        if rest or n & (n - 1):
            raise ValueError(
                f"batch_sequences ({self.batch_sequences}) must be micro_batch_sequences "
                f"({self.micro_batch_sequences}) times a power of two: the gradient sum is a binary tree"
            )
        if self.steps % self.checkpoint_every:
            raise ValueError(
                f"steps ({self.steps}) must be a multiple of checkpoint_every ({self.checkpoint_every})"
            )
        return self

    def checkpoints(self) -> list[int]:
        """Steps at which a checkpoint is written, 0 (the initialisation) included."""
        return list(range(0, self.steps + 1, self.checkpoint_every))
