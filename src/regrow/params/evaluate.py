"""Evaluation and release."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block


class Evaluate(Block):
    """Bits per byte on held-out documents, answers to held-out tasks, long context, preferences."""

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
    """of the text samples"""
    split: Literal["test", "dev"] = "test"
    """of the tasks: `dev` while choosing parameters, `test` for the figures that are reported"""
    items: int = Field(default=120, ge=1)
    """tasks asked per family, answered greedily"""
    drawn: int = Field(default=40, ge=1)
    """tasks asked per family, answered `samples` times at temperature 1"""
    few: int = Field(default=12, ge=1)
    """tasks per family where an answer is not expected: before midtraining, in an untrained form"""
    samples: int = Field(default=4, ge=1)
    """answers per task at temperature 1, for the pass rate and pass@k"""
    max_new_tokens: int = Field(default=90, ge=1)
    """of an answer"""
    worked: int = Field(default=24, ge=1)
    """right answers per family whose bits per byte are measured"""
    short_context: int = Field(default=256, ge=1)
    """positions from here on are new to the long-context stage"""
    bin: int = Field(default=256, ge=1)
    """positions per bin of the loss by position"""
    yarn_beta_fast: float = Field(default=32.0, gt=0)
    """of the control with YaRN switched on at evaluation; as `longcontext.yarn_beta_fast`, to be fair"""
    windows: int = Field(default=24, ge=1)
    """long held-out windows"""
    needles: int = Field(default=24, ge=1)
    """of each kind"""
    tasks: list[str] = []
    """lm-eval tasks of one's own: names of `evals/<name>.yaml`, whose rows lie beside them"""
    pairs: int = Field(default=300, ge=1)
    """held-out preference pairs per source"""
    seed: int = 0


class Release(Block):
    """What the publisher says of the model. Nothing is assumed: what is left out, the papers call not stated."""

    name: str | None = Field(default=None, min_length=1)
    """what the model is called"""
    description: str | None = Field(default=None, min_length=1)
    """of the model and what it was grown from; the papers quote it as the publisher's"""
    licence: str | None = Field(default=None, min_length=1)
    """of the weights: an SPDX identifier"""
    intended_use: str | None = Field(default=None, min_length=1)
    """what it is for"""
