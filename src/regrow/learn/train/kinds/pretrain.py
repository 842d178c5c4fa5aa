"""Pretraining: every next token of a pack, from initial weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.learn.model.config import olmo3_config
from regrow.learn.train.data import Sequences
from regrow.learn.train.kinds.causal import language_modelling
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Pretraining on a pack. Instance 000000 writes the initial weights. `stage`, `settings`: see `kinds`."""
    return train(plan, inputs, params, output, **more)


def plan(inputs: dict[str, Path], params: Any, *, stage: str, settings: str) -> StageSpec:
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
    return language_modelling(
        stage, config, getattr(params, settings), sequences, params.model.seed
    )
