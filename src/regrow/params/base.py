"""The base of every block of parameters: unknown keys refused, values frozen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of `params/*.yaml`. Everything in it identifies results, so it is part of step keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
