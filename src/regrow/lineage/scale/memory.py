"""Bytes per rank, by ZeRO stage.

Rajbhandari et al., arXiv 1910.02054, table 1: with mixed precision a weight takes 2 bytes, its gradient 2,
and the optimizer's states K (AdamW: 4 for the 32-bit copy and 8 for two moments, K = 12). Stage 1 shares out
the states, stage 2 the gradients too, stage 3 the weights too. In 32 bits (the flow's own `fma32`) weight and
gradient take 4 each and no copy is kept.
Activations: Korthikanti et al., arXiv 2205.05198: 34 s b h bytes for a layer without its attention matrix
(which fused attention does not keep); with full recomputation 2 s b h per layer and one layer in full.
"""

from __future__ import annotations

from regrow.lineage.scale import shapes
from regrow.params.model import Model

BYTES = {"bf16": (2, 2, 4), "fp32": (4, 4, 0)}
"""precision -> bytes of a weight, of its gradient, of its 32-bit copy"""
STAGES = (0, 1, 2, 3)


def states(
    model: Model, vocabulary: int, optimizer: str, ranks: int, precision: str = "bf16"
) -> dict[int, float]:
    """ZeRO stage -> bytes of weights, gradients and optimizer states on each of `ranks` ranks."""
    weight, gradient, copy = BYTES[precision]
    n = shapes.parameters(model, vocabulary)
    kept = n * copy + 4 * shapes.moments(model, vocabulary, optimizer)
    parts = (kept, n * gradient, n * weight)  # in the order in which the stages share them out
    return {
        stage: sum(part / ranks if number < stage else part for number, part in enumerate(parts))
        for stage in STAGES
    }


def activations(model: Model, vocabulary: int, sequences: int, length: int) -> dict[str, float]:
    """Bytes for a micro-batch of `sequences`, everything recomputed layer by layer.

    `logits`: in 32 bits with their gradient; a fused head and loss avoids them.
    """
    tokens = sequences * length
    width = tokens * model.hidden
    return {
        "layers": 2.0 * width * model.layers + 34.0 * width,
        "logits": 8.0 * tokens * shapes.rows(vocabulary),
    }
