"""A model as it is, with YaRN switched on: what the extension of the context does without training."""

from __future__ import annotations

from pathlib import Path

from transformers import Olmo3ForCausalLM

from regrow.learn.model import yarn
from regrow.learn.model.build import empty
from regrow.learn.model.files import load_config, load_weights
from regrow.numerics.torch.install import install

BETA_SLOW = 1.0


def with_yarn(folder: Path, context: int, beta_fast: float) -> Olmo3ForCausalLM:
    """The model in `folder` with YaRN from its own context to `context` positions.

    The factor is the ratio of the two contexts; the ramp begins at `beta_fast` turns, and ends at one.

    Raises:
        ValueError: the model's context is not shorter, or it has YaRN already.
    """
    config = load_config(folder)
    factor = context / int(config.max_position_embeddings)
    longer = yarn.extend(
        config, context=context, factor=factor, beta_fast=beta_fast, beta_slow=BETA_SLOW
    )
    model = empty(longer)
    load_weights(model, folder)
    return install(model.eval())
