"""The shape of the model: transformers' Olmo3."""

from __future__ import annotations

from pydantic import Field, model_validator

from regrow.params.base import Block


class Model(Block):
    """An Olmo 3 model (OLMo 3 report, table 33), here at demo size."""

    hidden: int = Field(default=128, ge=16, multiple_of=16)
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    kv_heads: int = Field(default=4, ge=1)
    ffn: int = Field(default=384, ge=16, multiple_of=16)
    sliding_window: int = Field(default=128, ge=16)
    """tokens seen by a sliding layer; three of four layers slide, the last is always full"""
    context: int = Field(default=256, ge=16)
    """positions"""
    rope_theta: float = Field(default=500_000.0, gt=0)
    norm_eps: float = Field(default=1e-6, gt=0)
    init_std: float = Field(default=0.02, gt=0)
    """truncated normal, cut at three standard deviations"""
    tied_embeddings: bool = True
    seed: int = 0

    @model_validator(mode="after")
    def _divides(self) -> Model:
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")
        if self.heads % self.kv_heads:
            raise ValueError(
                f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})"
            )
        return self
