"""Reinforcement learning: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from regrow.params.base import Block
from regrow.params.stages import Stage
from regrow.params.train import Optimizer, Training


class Rlvr(Training):
    """Group-relative policy optimisation on verified rewards, as in Olmo 3 (section 4.4.1).

    A step samples `prompts` x `group` answers; groups of equal reward are dropped and refilled. A
    step that is left without any group makes no update and counts as skipped.
    `batch_sequences` is prompts x group.
    """

    steps: int = Field(default=80, ge=1)
    checkpoint_every: int = Field(default=40, ge=1)
    batch_sequences: int = Field(default=256, ge=1)
    micro_batch_sequences: int = Field(default=32, ge=1)
    schedule: Literal["cosine", "linear", "constant"] = "constant"
    warmup: float = Field(default=0.06, ge=0, lt=1)
    final_lr: float = Field(default=1.0, ge=0, le=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(learning_rate=4e-4, betas=(0.9, 0.99), weight_decay=0.0)
    prompts: int = Field(default=32, ge=1)
    """groups per step"""
    group: int = Field(default=8, ge=2)
    """answers per prompt"""
    max_refills: int = Field(default=2, ge=0)
    """rounds of further prompts to fill a batch whose groups had equal rewards"""
    updates: int = Field(default=1, ge=1)
    """mini-batches per batch; with one the ratio is exactly 1 and the clip is idle"""
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    clip_high: float = Field(default=0.272, gt=0)
    importance_cap: float = Field(default=2.0, gt=0)
    """of the truncated importance sampling between sampler and trainer"""
    reward_scale: float = Field(default=1.0, gt=0)
    """multiplies the verifier's score; the size of the steps, as advantages are not normalised"""
    domains: dict[str, float] = {}
    """family -> share of the prompts; families not named share the rest by their number of prompts"""
    temperature: float = Field(default=1.0, gt=0)
    max_new_tokens: int = Field(default=90, ge=1)

    @model_validator(mode="after")
    def _group(self) -> Rlvr:
        if self.batch_sequences != self.prompts * self.group:
            raise ValueError(
                f"batch_sequences ({self.batch_sequences}) must be prompts ({self.prompts}) x "
                f"group ({self.group})"
            )
        micro = self.batch_sequences // self.micro_batch_sequences
        if micro % self.updates:
            raise ValueError(
                f"updates ({self.updates}) must divide the {micro} micro-batches of a batch"
            )
        return self


class RlZero(Rlvr):
    """The same from the base model, with a plain prompt."""

    steps: int = Field(default=60, ge=1)
    checkpoint_every: int = Field(default=60, ge=1)
    control_steps: int = Field(default=30, ge=1)
    """of the control with random rewards"""


class Entry(Stage):
    """Reinforcement learning on verified rewards."""

    names = {
        "rlvr": {"form": "think"},
        "rlzero": {"form": "plain"},
        "rlzero_random": {"form": "plain", "reward": "random"},
    }
    reads = ("difficulty",)

    kind: Literal["rl"] = "rl"
    reward: Literal["verified", "random"] = "verified"
    """random: the control, whose rewards are drawn"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.reward == "random"

    @classmethod
    def section(cls, said: Mapping[str, Any]) -> str:
        """See Stage: one for RL from a base model, one for RL from a tuned one."""
        return "rlzero" if said.get("form", "plain") == "plain" else "rlvr"


class Sections(Block):
    """The sections of a params file with these settings."""

    rlvr: Rlvr = Rlvr()
    rlzero: RlZero = RlZero()
