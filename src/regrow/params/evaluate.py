"""Evaluation and release."""

from __future__ import annotations

from pydantic import Field

from regrow.params.base import Block


class Evaluate(Block):
    """Bits per byte on held-out documents, by domain, through lm-eval."""

    max_documents: int = Field(default=12, ge=1)
    """held-out documents scored per domain"""
    max_bytes: int = Field(default=4_000, ge=100)
    """bytes of each document that are scored, from its start"""
    bootstrap: int = Field(default=2_000, ge=100)
    """resamples for the 95 % interval"""
    sample_prompts: list[str] = ["The", "KING.", "To create a table,"]
    """text samples are grown from these; without a space at the end, which tokens carry in front"""
    sample_tokens: int = Field(default=80, ge=1)
    temperature: float = Field(default=0.8, gt=0)
    seed: int = 0


class Release(Block):
    """What the model is called, and by whom."""

    name: str = "regrow-demo-1m"
    description: str = "A model grown from the manuals on the shelf and Shakespeare."
    licence: str = "Apache-2.0"
    """of the weights"""
