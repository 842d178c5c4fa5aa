"""A fork: a released checkpoint continued with documents or conversations of one's own."""

from __future__ import annotations

from pydantic import Field, model_validator

from regrow.params.base import Block


class Fork(Block):
    """Where the flow branches off, and what the branch reads besides. Absent: no fork."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """of the branch: its documents lie in forks/<name>/"""
    stage: str = "pretrain"
    """of the checkpoint; the next stage that reads documents reads the branch's: midtraining, the rest of
    midtraining, long context; after `longcontext` only fine-tuning is left, for conversations"""
    checkpoint: int = Field(ge=0)
    """training step of the checkpoint in its stage"""
    documents: bool = True
    """whether there are documents (forks/<name>/documents.parquet)"""
    chats: bool = False
    """whether there are conversations (forks/<name>/chats.parquet), which join the examples of SFT"""
    share: float = Field(default=0.5, gt=0, le=1)
    """of the mix's tokens that are the branch's own documents; the rest is the parent's mix"""
    chat_share: float = Field(default=0.2, gt=0, le=1)
    """of the examples of SFT that are the branch's own; the rest is the parent's"""
    chat_tokens: int | None = Field(default=None, ge=16)
    """longer conversations are dropped; null: `sft_data.max_tokens`"""
    tokens: int | None = Field(default=None, ge=1_000)
    """of the mix; null: as many as the parent's"""
    max_repeats: int = Field(default=4, ge=1)
    """times that a document or conversation comes at most; where that is too little, the parent's fill up"""
    heldout_share: float = Field(default=0.05, ge=0, lt=0.5)
    """of the own documents, by a keyed hash of their id, kept apart to measure by"""
    seed: int = 0
    """of the order"""

    @model_validator(mode="after")
    def _something_to_read(self) -> Fork:
        if not (self.documents or self.chats):
            raise ValueError("a fork needs documents or chats")
        return self
