"""Midtraining: every next token of a better mix, in one of several orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.learn.model import files
from regrow.learn.train.data import Sequences
from regrow.learn.train.kinds.causal import language_modelling
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train
from regrow.params.kinds.midtrain import Midtrain


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Midtraining on a pack. `run`: `a`, or `b`, `c` ... with further seeds of the data order; `stage`, `settings`:
    see `kinds`."""
    return train(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any, *, stage: str, settings: str, run: str) -> StageSpec:
    """See `run`."""
    block: Midtrain = getattr(params, settings)
    if run != "a":
        block = block.model_copy(update={"seed": block.second_seed + ord(run) - ord("b")})
    config = files.load_config(inputs["base"])
    return language_modelling(stage, config, block, Sequences(inputs["data"]))
