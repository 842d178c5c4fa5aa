"""A takedown: documents that training must not have seen, and how deep they are taken out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from regrow.params.base import Block


class Takedown(Block):
    """Which documents are taken down (`takedowns/<name>/documents.json`), and how. Absent: none are."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """of the takedown"""
    depth: Literal["training", "everything"] = "training"
    """training: their text is masked out of every training sequence, slots kept; everything: they are
    dropped behind the text extraction, and all that follows is made without them"""
    first: dict[str, int] = {}
    """depth training: stage -> the first of its steps that saw any of them; a stage that is not named saw
    none. The masking step computes it again and refuses another"""

    @model_validator(mode="after")
    def _fits(self) -> Takedown:
        if self.depth == "everything" and self.first:
            raise ValueError("takedown.first is for the depth `training`: leave it out")
        if any(step < 1 for step in self.first.values()):
            raise ValueError(f"takedown.first: steps count from 1, got {self.first}")
        return self
