"""A fork: a released checkpoint continued with documents of one's own."""

from __future__ import annotations

from pydantic import Field

from regrow.params.base import Block


class Fork(Block):
    """Where the flow branches off, and what the branch reads besides. Absent: no fork."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """of the branch: its documents lie in forks/<name>/"""
    checkpoint: int = Field(ge=0)
    """training step of the pretraining checkpoint that midtraining begins from"""
    share: float = Field(default=0.5, gt=0, le=1)
    """of midtraining's tokens that are the branch's own documents; the rest is the parent's mix"""
    max_repeats: int = Field(default=4, ge=1)
    """times that a document comes at most; where that is too little, the parent's mix fills up"""
    heldout_share: float = Field(default=0.05, ge=0, lt=0.5)
    """of the own documents, by a keyed hash of their id, kept apart to measure by"""
    seed: int = 0
    """of the order"""
