"""Extension of the context, and its control at the short length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.model import files, yarn
from regrow.params.train import LongContext
from regrow.train import stage
from regrow.train.data import Sequences
from regrow.train.kinds.causal import language_modelling


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 3. `length`: `long`, with YaRN, or `short`, the control.

    The control reads the same tokens cut to the old length, as many per step, with the model as it was.
    """
    return stage.run(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any, *, length: str) -> stage.Plan:
    """See `run`."""
    block: LongContext = params.longcontext
    config = files.load_config(inputs["base"])
    sequences = Sequences(inputs["data"])
    if length == "long":
        if sequences.length != block.context:
            raise ValueError(
                f"longmix.sequence_length ({sequences.length}) and longcontext.context "
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
        return language_modelling("longcontext", config, block, sequences)
    short = Sequences(inputs["data"] / "short")
    times = sequences.length // short.length
    more = {
        "batch_sequences": block.batch_sequences * times,
        "micro_batch_sequences": block.micro_batch_sequences * times,
    }
    return language_modelling("longcontext_control", config, block.model_copy(update=more), short)
