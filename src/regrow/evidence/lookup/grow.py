"""Writing a tree: sorted entries go in, leaves go out; what stands above them is small."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from regrow.evidence.lookup.keys import Kind
from regrow.evidence.lookup.tree import BLOCK, FULL, HEAD, MAGIC

Entries = tuple[NDArray[np.uint64], NDArray[np.uint64]]
"""keys and values, of equal length"""
_WORDS = BLOCK // 8


def grow(path: Path, kind: Kind, chunks: Iterable[Entries]) -> int:
    """Write the tree of entries that come in ascending order of key and value; returns their number.

    Memory: a chunk, and eight bytes per 1,023 entries.
    """
    entries = 0
    with path.open("wb") as file:
        file.write(bytes(HEAD))
        firsts: list[NDArray[np.uint64]] = []
        rest: Entries = (np.empty(0, np.uint64), np.empty(0, np.uint64))
        for keys, values in chunks:
            entries += len(keys)
            rest = (np.concatenate([rest[0], keys]), np.concatenate([rest[1], values]))
            whole = len(rest[0]) // FULL * FULL
            firsts.append(_blocks(file, rest[0][:whole], rest[1][:whole]))
            rest = (rest[0][whole:], rest[1][whole:])
        firsts.append(_blocks(file, *rest))
        level = np.concatenate(firsts)
        levels = [(0, len(level))]
        while len(level) > 1:
            below = len(level)
            start = levels[-1][0] + levels[-1][1]
            # A level names the blocks below by their place in the file.
            number = np.arange(levels[-1][0], levels[-1][0] + below, dtype=np.uint64)
            level = _blocks(file, level, number)
            levels.append((start, len(level)))
        head = json.dumps({"kind": kind, "entries": entries, "levels": levels}).encode()
        file.seek(0)
        file.write(struct.pack("<8sII", MAGIC, len(head), zlib.crc32(head)) + head)
    return entries


def _blocks(
    file: BinaryIO, keys: NDArray[np.uint64], values: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Append entries in blocks, the last one perhaps not full; returns the first key of each."""
    count = -(-len(keys) // FULL)
    words = np.zeros((count, _WORDS), np.dtype("<u8"))
    padded = np.zeros((2, count * FULL), np.uint64)
    padded[0, : len(keys)], padded[1, : len(keys)] = keys, values
    words[:, :FULL] = padded[0].reshape(count, FULL)
    words[:, FULL : 2 * FULL] = padded[1].reshape(count, FULL)
    words[:, 2 * FULL] = FULL
    if len(keys) % FULL:
        words[-1, 2 * FULL] = len(keys) % FULL
    for block in words:
        block[-1] = zlib.crc32(block[:-1].data)
    file.write(words.data)
    return keys[::FULL].copy()
