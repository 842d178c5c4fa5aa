"""Floating-point operations of training and sampling.

Training takes 6 N D for the matrices (forward 2, backward 4 per weight and token; Kaplan et al., arXiv
2001.08361; N without the input embedding), and for attention 12 d per pair of positions that see each
other and layer (scores and weighted sum, forward 4 d, backward twice that; PaLM, arXiv 2204.02311, appendix
B, which counts all T x T pairs). Here only the pairs under the causal mask and the sliding window count.
"""

from __future__ import annotations

from dataclasses import dataclass

from regrow.ask.scale import shapes
from regrow.params.model import Model

FORMULA = "6 N D + 12 d_attention (pairs in full layers + pairs in sliding layers), per sequence"


@dataclass(frozen=True)
class Cost:
    """Operations of a forward and backward pass over sequences of one length, per token."""

    matrices: float
    attention: float
    attention_all_pairs: float
    """as PaLM counts them: every position with every other, windows and mask ignored"""

    @property
    def total(self) -> float:
        """Per token."""
        return self.matrices + self.attention


def full_layers(layers: int) -> int:
    """Layers with full attention: every fourth, and the last (regrow.learn.model.config.layer_types)."""
    return layers // 4 + (1 if layers % 4 else 0)


def pairs(length: int, window: int | None = None) -> int:
    """Pairs (position, position not after it) of a sequence that see each other."""
    if window is None or window >= length:
        return length * (length + 1) // 2
    return window * (window + 1) // 2 + (length - window) * window


def training(model: Model, vocabulary: int, length: int) -> Cost:
    """Of one token in sequences of `length`."""
    full = full_layers(model.layers)
    seen = full * pairs(length) + (model.layers - full) * pairs(length, model.sliding_window)
    return Cost(
        matrices=6.0 * shapes.multiplied(model, vocabulary),
        attention=12.0 * model.hidden * seen / length,
        attention_all_pairs=12.0 * model.layers * model.hidden * length,
    )


def forward(model: Model, vocabulary: int, length: int) -> float:
    """Of one token in a forward pass (a third of training): a reference, or an answer that is drawn."""
    return training(model, vocabulary, length).total / 3
