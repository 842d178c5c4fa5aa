"""Writes a small fastText classifier (`.bin`, version 12) without the library's trainer."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SUPERVISED, VECTORS, SOFTMAX = 3, 2, 3


def write(
    path: Path,
    labels: list[str],
    words: dict[str, list[float]],
    output: NDArray[np.float32],
    *,
    kind: int = SUPERVISED,
) -> Path:
    """A model without n-grams: the vector of a word, and a row of `output` for each label."""
    dim = output.shape[1]
    data = struct.pack(
        "<ii12id", 793712314, 12, dim, 5, 5, 1, 5, 1, SOFTMAX, kind, 0, 0, 0, 100, 0.0
    )
    data += struct.pack("<iiiqq", len(words) + len(labels), len(words), len(labels), 100, -1)
    for place, name in enumerate([*words, *labels]):
        data += name.encode() + b"\0" + struct.pack("<qB", 100 - place, place >= len(words))
    vectors = np.array(list(words.values()), dtype=np.float32)
    for matrix in (vectors, output.astype(np.float32)):
        data += b"\0" + struct.pack("<qq", *matrix.shape) + matrix.tobytes()
    path.write_bytes(data)
    return path


def expected(
    words: dict[str, list[float]], output: NDArray[np.float32], text: str
) -> NDArray[np.float64]:
    """Softmax of the rows of `output` times the mean vector of the known words, end of line included."""
    known = [words[word] for word in [*text.split(), "</s>"] if word in words]
    mean = np.mean(np.array(known, dtype=np.float64), axis=0)
    raised = np.exp(output.astype(np.float64) @ mean)
    return np.asarray(raised / raised.sum())
