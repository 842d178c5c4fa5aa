"""Bytes of this flow's own training, and per rank of a trainer with ZeRO.

The flow trains in 32 bits on the CPU; each of its processes holds everything, and nothing is
recomputed: `own` adds up what `regrow.learn.train` and the fused operators keep.

ZeRO: Rajbhandari et al., arXiv 1910.02054, table 1: with mixed precision a weight takes 2 bytes, its gradient 2,
and the optimizer's states K (AdamW: 4 for the 32-bit copy and 8 for two moments, K = 12). Stage 1 shares out
the states, stage 2 the gradients too, stage 3 the weights too. In 32 bits weight and
gradient take 4 each and no copy is kept.
Activations: Korthikanti et al., arXiv 2205.05198: 34 s b h bytes for a layer without its attention matrix
(which fused attention does not keep); with full recomputation 2 s b h per layer and one layer in full.
"""

from __future__ import annotations

import math

from regrow.ask.scale import shapes
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


LIBRARIES = 0.54e9
"""resident bytes of a process with torch, transformers and polars before a model is built (measured)"""


def own(
    model: Model,
    vocabulary: int,
    optimizer: str,
    *,
    sequences: int,
    length: int,
    micro_batches: int,
) -> dict[str, float]:
    """Parts of the peak of one training process of this flow, in bytes, and their `total`.

    `sequences` of `length` tokens are a micro-batch, `micro_batches` of them a step of the process.
    Gradients are added along a binary tree, which holds a partial sum per level beside those of the
    micro-batch at hand. Activations are what the fused operators keep for the backward pass.
    """
    tokens = sequences * length
    n = shapes.parameters(model, vocabulary)
    head = model.hidden // model.heads
    queries, keys = model.heads * head, model.kv_heads * head
    # q, k before and after norm and rotation, v, attention; gate, up, their product; four of the stream
    kept = 3 * queries + 3 * keys + 3 * model.ffn + 4 * model.hidden
    parts = {
        "libraries": LIBRARIES,
        "weights": 4.0 * n,
        "optimizer": 4.0 * shapes.moments(model, vocabulary, optimizer),
        "gradients": 4.0 * n * (1 + math.ceil(math.log2(micro_batches))),
        "activations": 4.0 * tokens * model.layers * kept,
        "logits": 8.0 * tokens * shapes.rows(vocabulary),
    }
    return parts | {"total": sum(parts.values())}
