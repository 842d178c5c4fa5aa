"""Documents that share a band with each other, directly or through others: the components that are compared inside.

Pairs of similar documents are within a component, so that the texts of one component at a time are all that is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray


def components(
    count: int, rows: NDArray[np.int64], bands: Iterable[Callable[[], NDArray[np.uint64]]]
) -> list[NDArray[np.int64]]:
    """Components of more than one document: ascending row numbers, by their first row.

    Args:
        count: documents in all.
        rows: those that are compared.
        bands: for each band, what reads the key of every document; one is held at a time.
    """
    parent = np.arange(count)
    for read in bands:
        keys = read()[rows]
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(np.diff(keys[order]) == 0)
        _join(parent, rows[order[same]], rows[order[same + 1]])
    roots = parent[rows]
    order = np.argsort(roots, kind="stable")
    return [rows[group] for group in equal(order, np.diff(roots[order]) == 0)]


def equal(order: NDArray[np.int64], same: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The runs of more than one entry of `order`; `same`: whether an entry is equal to the one before it.

    Not `np.split`, which makes an array of each entry that stands alone.
    """
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [order[start : end + 1] for start, end in zip(starts, ends, strict=True)]


def _join(parent: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Join the sets of pairs; afterwards every document's parent is the smallest of its set.

    Hooking and pointer jumping (Shiloach and Vishkin, J. Algorithms 1982), on whole arrays.
    """
    while True:
        a, b = parent[one], parent[other]
        apart = a != b
        if not apart.any():
            return
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        np.minimum.at(parent, high, low)
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent[:] = above
