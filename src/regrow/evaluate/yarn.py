"""A model as it is, with YaRN switched on: what the extension of the context does without training."""

from __future__ import annotations

from pathlib import Path

from transformers import Olmo3ForCausalLM

from regrow.model.build import empty
from regrow.model.files import load_config, load_weights
from regrow.numerics import exact
from regrow.numerics.torch.install import install

BETA_FAST, BETA_SLOW = 32.0, 1.0


def with_yarn(folder: Path, context: int) -> Olmo3ForCausalLM:
    """The model in `folder` with YaRN from its own context to `context` positions.

    On the full-attention layers only, as Olmo 3 does (report, section 3.6); the factor is the ratio
    of the two contexts, the attention factor 0.1 ln(factor) + 1 (Peng et al., arXiv 2309.00071,
    section 3.4), the ramp runs between 32 and 1 rotations.

    Raises:
        ValueError: the model's context is not shorter.
    """
    config = load_config(folder)
    own = int(config.max_position_embeddings)
    if own >= context:
        raise ValueError(f"{folder}: a context of {own} needs no extension to {context}")
    factor = context / own
    rope = config.rope_parameters
    assert rope is not None
    parameters = {name: dict(values) for name, values in rope.items()}  # type: ignore[call-overload]
    parameters["full_attention"] |= {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": own,
        "beta_fast": BETA_FAST,
        "beta_slow": BETA_SLOW,
        "attention_factor": 0.1 * float(exact.log(factor)) + 1.0,
    }
    config.rope_parameters = parameters  # type: ignore[assignment]
    config.max_position_embeddings = context
    model = empty(config)
    load_weights(model, folder)
    return install(model.eval())
