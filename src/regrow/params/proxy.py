"""The small models of a mix search, and how they are measured: apart from the rest of it, which their keys do not count."""

from __future__ import annotations

from pydantic import Field, model_validator

from regrow.params.base import Block
from regrow.params.model import Model
from regrow.params.train import Optimizer, Training


class Proxy(Training):
    """A small model that is trained on one mixture: each sequence of its pack once, in a keyed order."""

    steps: int = Field(default=120, ge=1)
    checkpoint_every: int = Field(default=120, ge=1)
    """equal to `steps`: a proxy keeps its last checkpoint only"""
    optimizer: Optimizer = Optimizer()
    model: Model = Model(hidden=64, layers=4, ffn=192)

    @model_validator(mode="after")
    def _one_result(self) -> Proxy:
        if self.checkpoint_every != self.steps:
            raise ValueError(
                f"checkpoint_every ({self.checkpoint_every}) must be steps ({self.steps}): a proxy has one result"
            )
        return self


class Scored(Block):
    """Held-out documents by which proxies are measured, in bits per byte of each hold-out domain."""

    max_documents: int = Field(default=12, ge=1)
    """per hold-out domain"""
    max_bytes: int = Field(default=4_000, ge=100)
    """bytes of each document that are scored, from its start"""
    seed: int = 0
