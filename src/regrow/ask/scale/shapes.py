"""The weights of an Olmo 3 model, counted from its shape without building it."""

from __future__ import annotations

from dataclasses import dataclass

from regrow.params.model import Model

PAD_TO = 128
"""rows of the embedding are a multiple of this (as in regrow.learn.model.config, which imports transformers)"""


@dataclass(frozen=True)
class Class:
    """All tensors of one kind."""

    name: str
    count: int
    """tensors"""
    shape: tuple[int, ...]
    multiplies: bool
    """a matrix that activations are multiplied by (not the input embedding, not a norm)"""

    @property
    def parameters(self) -> int:
        """Weights in all tensors of the kind."""
        size = 1
        for side in self.shape:
            size *= side
        return self.count * size


def rows(vocabulary: int) -> int:
    """Rows of the embedding for a vocabulary."""
    return -(-vocabulary // PAD_TO) * PAD_TO


def classes(model: Model, vocabulary: int) -> list[Class]:
    """Tensor classes of `Olmo3ForCausalLM`, names as in its checkpoints.

    Norms are RMSNorm without bias: after attention and FFN, over the whole width of q and k, and one
    before the head (report, table 33; transformers' modular_olmo3). No biases anywhere.
    """
    head = model.hidden // model.heads
    queries, keys = model.heads * head, model.kv_heads * head
    n = model.layers
    embedding = (rows(vocabulary), model.hidden)
    found = [
        # Tied, the embedding is also the head, and is multiplied by.
        Class("embed_tokens", 1, embedding, model.tied_embeddings),
        Class("q_proj", n, (queries, model.hidden), True),
        Class("k_proj, v_proj", 2 * n, (keys, model.hidden), True),
        Class("o_proj", n, (model.hidden, queries), True),
        Class("gate_proj, up_proj", 2 * n, (model.ffn, model.hidden), True),
        Class("down_proj", n, (model.hidden, model.ffn), True),
        Class("q_norm", n, (queries,), False),
        Class("k_norm", n, (keys,), False),
        Class("layer norms, norm", 2 * n + 1, (model.hidden,), False),
    ]
    if not model.tied_embeddings:
        found.append(Class("lm_head", 1, embedding, True))
    return found


def parameters(model: Model, vocabulary: int) -> int:
    """All weights."""
    return sum(item.parameters for item in classes(model, vocabulary))


def multiplied(model: Model, vocabulary: int) -> int:
    """Weights of the matrices that every token is multiplied by: the N of 6ND."""
    return sum(item.parameters for item in classes(model, vocabulary) if item.multiplies)


def moments(model: Model, vocabulary: int, optimizer: str) -> int:
    """Numbers that the optimizer remembers: AdamW two per weight, Muon one per inner matrix."""
    inner = ("embed_tokens", "lm_head")
    total = 0
    for item in classes(model, vocabulary):
        one = optimizer == "muon" and len(item.shape) == 2 and item.name not in inner
        total += item.parameters * (1 if one else 2)
    return total
