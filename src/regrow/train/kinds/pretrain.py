"""Pretraining: every next token of a pack, from initial weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.model.config import olmo3_config
from regrow.train import stage
from regrow.train.data import Sequences
from regrow.train.kinds.causal import language_modelling


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 1, on a pack. Instance 000000 writes the initial weights."""
    return stage.run(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any) -> stage.Plan:
    """See `run`. Raises ValueError if the sequences are longer than the context."""
    sequences = Sequences(inputs["data"])
    if sequences.length > params.model.context:
        raise ValueError(
            f"pack.sequence_length ({sequences.length}) is longer than model.context "
            f"({params.model.context}): raise model.context"
        )
    config = olmo3_config(
        params.model, vocabulary=sequences.vocabulary, eos=sequences.eos, pad=sequences.pad
    )
    return language_modelling("pretrain", config, params.pretrain, sequences, params.model.seed)
