"""Models in memory: an empty one, and one with the initial weights of a seed."""

from __future__ import annotations

import numpy as np
import torch
from transformers import Olmo3Config, Olmo3ForCausalLM
from transformers.initialization import no_init_weights

from regrow.numerics.random import Stream

CUT = 3.0
"""standard deviations at which the normal is cut (OLMo-core, `InitMethod.normal`)"""


def empty(config: Olmo3Config) -> Olmo3ForCausalLM:
    """A float32 model whose weights are still to be written (norms are ones)."""
    with no_init_weights():
        # Without the type transformers builds, and computes rotary tables, in that of the configuration.
        model = Olmo3ForCausalLM._from_config(
            config, attn_implementation="eager", dtype=torch.float32
        )
    model.tie_weights()
    return model.to(torch.float32)


@torch.no_grad()
def initialise(model: Olmo3ForCausalLM, seed: int) -> None:
    """Write initial weights: truncated normal for matrices and embeddings, ones for norms.

    Each tensor draws from a stream named by its own name and the seed, so its values do not
    depend on which other tensors exist, nor on the order in which they are filled.
    """
    std = model.config.initializer_range
    for name, weight in model.named_parameters():
        if weight.dim() < 2:
            weight.fill_(1.0)
            continue
        draws = Stream("init", seed, name).truncated_normal(weight.numel(), CUT)
        values = (draws * std).astype(np.float32).reshape(weight.shape)
        weight.copy_(torch.from_numpy(values))
