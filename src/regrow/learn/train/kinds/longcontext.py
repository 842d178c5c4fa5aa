"""Extension of the context, and its control at the short length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.learn.model import files, yarn
from regrow.learn.train.data import Sequences
from regrow.learn.train.kinds.causal import language_modelling
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train
from regrow.params.kinds.longcontext import LongContext


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Extend the context. `length`: `long`, with YaRN, or `short`, the control; `stage`, `settings`: see `kinds`.

    The control reads the same tokens cut to the old length, as many per step, with the model as it was.
    """
    return train(plan, inputs, params, output, **more)


def plan(
    inputs: dict[str, Path], params: Any, *, stage: str, settings: str, length: str
) -> StageSpec:
    """See `run`."""
    block: LongContext = getattr(params, settings)
    config = files.load_config(inputs["base"])
    sequences = Sequences(inputs["data"])
    if length == "long":
        if sequences.length != block.context:
            raise ValueError(
                f"longcontext_data.sequence_length ({sequences.length}) and {settings}.context "
                f"({block.context}) must be equal"
            )
        if int(config.max_position_embeddings) < block.context:
            config = yarn.extend(
                config,
                context=block.context,
                factor=block.yarn_factor,
                beta_fast=block.yarn_beta_fast,
                beta_slow=block.yarn_beta_slow,
            )
        return language_modelling(stage, config, block, sequences)
    short = Sequences(inputs["data"] / "short")
    times = sequences.length // short.length
    more = {
        "batch_sequences": block.batch_sequences * times,
        "micro_batch_sequences": block.micro_batch_sequences * times,
    }
    return language_modelling(stage, config, block.model_copy(update=more), short)
