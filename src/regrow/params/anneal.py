"""Micro-anneals."""

from __future__ import annotations

from pydantic import Field

from regrow.params.train import Training


class Anneal(Training):
    """Micro-anneals: each candidate dataset against a control under a fixed budget."""

    steps: int = Field(default=40, ge=1)
    checkpoint_every: int = Field(default=40, ge=1)
    candidates: list[str] = ["questions", "retrieval", "instructions"]
    """components of `midtrain_data`; each fills half of its anneal, the control component the rest"""
