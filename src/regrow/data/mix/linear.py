"""A linear softmax classifier over bags of hashed features, trained by SGD, exact in every bit.

fastText's supervised model without the hidden layer: with a few thousand labelled documents
the low-rank factor buys nothing. One document per update, learning rate falling linearly to
0, as fastText does (arXiv 1607.01759, section 2). Every sum is taken in a fixed order, every
operation is one that IEEE 754 rounds correctly, and exp is `regrow.numerics.exact`'s.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrow.data.mix.features import Bag
from regrow.numerics import exact
from regrow.numerics.permutation import Permutation

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Weights (buckets, classes) and bias (classes,), float64 that float32 holds exactly."""

    classes: tuple[str, ...]
    weight: F64
    bias: F64

    def probabilities(self, bag: Bag) -> F64:
        """Class probabilities of a document, (classes,)."""
        return _softmax(_logits(self.weight, self.bias, bag.index, bag.values()))

    def save(self, path: Path, description: dict[str, object]) -> None:
        """Write as safetensors; `description` (JSON) tells how to make the features."""
        from safetensors.numpy import save

        meta = {**description, "classes": list(self.classes)}
        # One metadata key only: safetensors writes several in an order that varies.
        tensors = {
            "weight": np.ascontiguousarray(self.weight, dtype=np.float32),
            "bias": self.bias.astype(np.float32),
        }
        path.write_bytes(save(tensors, metadata={"regrow": json.dumps(meta, sort_keys=True)}))


def load(path: Path) -> Linear:
    """Read a classifier that `Linear.save` wrote. Raises KeyError if it is another file."""
    return described(path)[0]


def described(path: Path) -> tuple[Linear, dict[str, Any]]:
    """Read a classifier that `Linear.save` wrote, with its description.

    Raises:
        KeyError: it is another file.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        meta = json.loads(file.metadata()["regrow"])
        weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
    return Linear(tuple(meta["classes"]), weight.astype(np.float64), bias.astype(np.float64)), meta


def _logits(weight: F64, bias: F64, index: NDArray[np.int32], values: F64) -> F64:
    if not len(index):
        return bias.copy()
    return exact.sum_rows(weight[index] * values[:, None]) + bias


def _softmax(logits: F64) -> F64:
    raised = exact.exp(logits - max(logits.tolist()))
    return raised / exact.total(raised.tolist())


def train(
    bags: list[Bag],
    labels: list[int],
    classes: tuple[str, ...],
    *,
    buckets: int,
    epochs: int,
    learning_rate: float,
    key: str,
) -> Linear:
    """Fit a classifier.

    Classes count alike whatever their size: an example weighs examples / (classes with
    examples x examples of its class), and an update is scaled by that. The order of each epoch
    is a keyed permutation, so it depends on `key` and the number of examples alone.

    Args:
        bags, labels: the examples; labels index `classes`.
        key: names the run.

    Returns:
        The model, rounded to float32, so that what is saved is what scores.
    """
    weight = np.zeros((buckets, len(classes)))
    bias = np.zeros(len(classes))
    sizes = [labels.count(c) for c in range(len(classes))]
    present = sum(1 for size in sizes if size)
    values = [bag.values() for bag in bags]
    updates, done = epochs * len(bags), 0
    for epoch in range(epochs if bags else 0):
        order = Permutation(len(bags), f"{key} epoch {epoch}")
        missed = 0.0
        for i in order.forward(np.arange(len(bags))).tolist():
            index, x = bags[i].index, values[i]
            p = _softmax(_logits(weight, bias, index, x))
            p[labels[i]] = p[labels[i]] - 1.0
            missed = missed - float(p[labels[i]])
            rate = learning_rate * (1.0 - done / updates)
            step = p * (rate * (len(bags) / (present * sizes[labels[i]])))
            weight[index] = weight[index] - x[:, None] * step
            bias = bias - step
            done += 1
        print(
            f"  {key}: epoch {epoch + 1}/{epochs}, mean error {missed / len(bags):.4f}",
            file=sys.stderr,
        )
    return Linear(
        classes,
        weight.astype(np.float32).astype(np.float64),
        bias.astype(np.float32).astype(np.float64),
    )
