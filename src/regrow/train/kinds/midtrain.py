"""Midtraining: every next token of a better mix, in one of two orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.model import files
from regrow.params.train import Midtrain
from regrow.train import stage
from regrow.train.data import Sequences
from regrow.train.kinds.causal import language_modelling


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 2, on a pack; `run`: `a`, or `b` with the second seed of the data order."""
    return stage.run(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any, *, run: str) -> stage.Plan:
    """See `run`."""
    block: Midtrain = params.midtrain
    if run == "b":
        block = block.model_copy(update={"seed": block.second_seed})
    name = {"a": "midtrain", "b": "midtrain_b"}[run]
    config = files.load_config(inputs["base"])
    return language_modelling(name, config, block, Sequences(inputs["data"]))
