"""What the settings of every training stage say: how long, how large, how fast, with which optimizer.

Every stage that trains counts these definitions in its keys; what one kind alone says is in `regrow.params.kinds`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from regrow.params.base import Block

Beta = Annotated[float, Field(ge=0, lt=1)]
"""the share of a running mean that is kept: with 1 or more it never settles"""


class Optimizer(Block):
    """AdamW with Olmo 3's settings, or Muon for the 2-D weights with AdamW for the rest."""

    name: Literal["adamw", "muon"] = "muon"
    learning_rate: float = Field(default=1e-2, gt=0)
    """peak"""
    betas: tuple[Beta, Beta] = (0.9, 0.95)
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


class Training(Block):
    """What every training stage says: how long, how large, how fast."""

    steps: int = Field(ge=1)
    checkpoint_every: int = Field(ge=1)
    """steps; each checkpoint is an artifact of its own"""
    batch_sequences: int = Field(default=8, ge=1)
    """sequences (SFT: examples, DPO: pairs, RLVR: answers) per step"""
    micro_batch_sequences: int = Field(default=4, ge=1)
    """sequences per micro-batch: part of the arithmetic, whatever the number of processes"""
    schedule: Literal["cosine", "linear", "constant"] = "linear"
    """of the learning rate after the warm-up, down to `final_lr`"""
    warmup: float = Field(default=0.0, ge=0, lt=1)
    """share of the steps"""
    final_lr: float = Field(default=0.0, ge=0, le=1)
    """as a share of the peak"""
    z_loss: float = Field(default=1e-5, ge=0)
    document_mask: bool = False
    """attend within documents only (Olmo 3: off in stages 1 and 2)"""
    carry_optimizer: bool = True
    """go on with the optimizer state of the stage before (Olmo 3's base stages do)"""
    digest_every: int = Field(default=20, ge=1)
    """steps between two links of the chain of state digests"""
    optimizer: Optimizer = Optimizer()
    seed: int = 0
    """of the data order"""

    @model_validator(mode="after")
    def _fits(self) -> Training:
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
        """Steps at which a checkpoint is written."""
        return list(range(self.checkpoint_every, self.steps + 1, self.checkpoint_every))
