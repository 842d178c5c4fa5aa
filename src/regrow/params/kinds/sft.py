"""Supervised fine-tuning: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Form, Stage
from regrow.params.train import Optimizer, Training


class Sft(Training):
    """Supervised fine-tuning: loss on the answers only; z-loss and weight decay off (Olmo 3).

    Muon as in the stages before: AdamW at 2e-3 lost skill that the base model had (docs/concepts/training.md).
    """

    steps: int = Field(default=720, ge=1)
    checkpoint_every: int = Field(default=240, ge=1)
    batch_sequences: int = Field(default=32, ge=1)
    micro_batch_sequences: int = Field(default=8, ge=1)
    """examples of like length, and so often of one family: several to a step mix the families"""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(learning_rate=4e-3, weight_decay=0.0)


class Entry(Stage):
    """Supervised fine-tuning on conversations."""

    names = {"sft": {}, "sft_instruct": {"branch": "instruct"}}
    reads = ("sft_data", "chats")

    kind: Literal["sft"] = "sft"
    form: Form = "think"
    branch: Literal["think", "instruct"] = "think"
    """of the data set: with worked steps, or with short answers and tool calls"""

    @classmethod
    def section(cls, said: Mapping[str, Any]) -> str:
        """See Stage: one of the branch."""
        return "sft_instruct" if said.get("branch") == "instruct" else "sft"


class Sections(Block):
    """The sections of a params file with these settings."""

    sft: Sft = Sft()
    sft_instruct: Sft = Sft(steps=300, checkpoint_every=300)
