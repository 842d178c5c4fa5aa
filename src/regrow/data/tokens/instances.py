"""Document instances: each document of the mix as often as it is repeated, in a keyed order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Instance(NamedTuple):
    """The `repeat`-th copy (from 0) of document `id`."""

    id: str
    repeat: int


class Order(NamedTuple):
    """Instances that follow each other, without their names: copy `repeats[i]` of the document in row `rows[i]`."""

    rows: NDArray[np.int64]
    repeats: NDArray[np.int32]


def arranged(ids: Iterable[str], repeats: NDArray[np.int32], key: str) -> Order:
    """All instances, in the order of a hash of key, id and repeat; about 100 bytes each are held meanwhile.

    The place of an instance relative to another depends on those two alone, so one document
    more or less leaves the order of the others as it was.

    Args:
        ids: of the documents, ascending: their rows.
        repeats: how often each is there.
    """
    ranks = bytearray()
    for identity, times in zip(ids, repeats.tolist(), strict=True):
        for repeat in range(times):
            ranks += hashlib.sha256(f"regrow instance {key} {identity} {repeat}".encode()).digest()
    words = np.frombuffer(ranks, dtype=">u8").reshape(-1, 4)
    # The last key is the first to decide; equal digests stay in the order of id and repeat.
    order = np.lexsort([words[:, i].astype(np.uint64) for i in (3, 2, 1, 0)])
    first = np.repeat(np.cumsum(repeats, dtype=np.int64) - repeats, repeats)
    copies = (np.arange(len(words)) - first).astype(np.int32)
    rows = np.repeat(np.arange(len(repeats), dtype=np.int64), repeats)
    return Order(rows[order], copies[order])


def ordered(mix: Iterable[tuple[str, int]], key: str) -> list[Instance]:
    """All instances of (id, repeats) pairs, in the order of `arranged`."""
    pairs = sorted(mix)
    ids = [identity for identity, _ in pairs]
    order = arranged(ids, np.array([times for _, times in pairs], dtype=np.int32), key)
    found = zip(order.rows.tolist(), order.repeats.tolist(), strict=True)
    return [Instance(ids[row], repeat) for row, repeat in found]
