"""The extension of the context: its settings, and what an entry of `stages` may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block
from regrow.params.stages import Stage
from regrow.params.train import Optimizer, Training


class LongContext(Training):
    """Stage 3: four times the length, YaRN on the full-attention layers only, document masks."""

    steps: int = Field(default=120, ge=1)
    checkpoint_every: int = Field(default=120, ge=1)
    batch_sequences: int = Field(default=2, ge=1)
    micro_batch_sequences: int = Field(default=1, ge=1)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    document_mask: bool = True
    optimizer: Optimizer = Optimizer(learning_rate=5e-3)
    context: int = Field(default=1_024, ge=16)
    """positions"""
    yarn_factor: float = Field(default=4.0, ge=1)
    yarn_beta_fast: float = Field(default=32.0, gt=0)
    """frequencies that turn more often within the old context are kept; published for contexts of
    thousands of positions, and too many where there are hundreds (docs/concepts/longcontext.md)"""
    yarn_beta_slow: float = Field(default=1.0, gt=0)
    """frequencies that turn less often within the old context are divided by `yarn_factor`"""


class Entry(Stage):
    """A longer context."""

    names = {
        "longcontext": {},
        "longcontext_control": {"length": "short"},
    }
    reads = ("longcontext_data",)

    kind: Literal["longcontext"] = "longcontext"
    form: Literal["plain"] = "plain"
    seeds: tuple[()] = ()
    length: Literal["long", "short"] = "long"
    """short: the control, which reads the same tokens at the old length"""

    @property
    def control(self) -> bool:
        """See Stage."""
        return self.length == "short"


class Sections(Block):
    """The sections of a params file with these settings."""

    longcontext: LongContext = LongContext()
