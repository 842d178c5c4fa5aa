"""Preference optimisation: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Form, Stage
from regrow.params.train import Optimizer, Training


class Dpo(Training):
    """Length-normalised direct preference optimisation (Tülu 3, section 5; Olmo 3, section 4.3)."""

    steps: int = Field(default=16, ge=1)
    checkpoint_every: int = Field(default=16, ge=1)
    batch_sequences: int = Field(default=32, ge=1)
    micro_batch_sequences: int = Field(default=8, ge=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    z_loss: float = Field(default=0.0, ge=0)
    carry_optimizer: bool = False
    optimizer: Optimizer = Optimizer(name="adamw", learning_rate=1e-4, weight_decay=0.0)
    beta: float = Field(default=5.0, gt=0)


class Entry(Stage):
    """Preference optimisation on pairs."""

    names = {"dpo": {}, "dpo_delta": {"pairs": "delta"}}
    reads = ("pairs",)

    kind: Literal["dpo"] = "dpo"
    form: Form = "think"
    pairs: Literal["judged", "delta"] = "judged"
    """delta: the control, on pairs of a strong and a weak model"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.pairs == "delta"


class Sections(Block):
    """The sections of a params file with these settings."""

    dpo: Dpo = Dpo()
