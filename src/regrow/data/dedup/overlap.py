"""Overlap of documents with reference texts (held-out documents, eval items), by word n-grams.

Source: the 13-grams of GPT-3 (arXiv 2005.14165, appendix C). The measure is containment:
n-grams in common, divided by those of the *shorter* of the two. So a long page that holds a
whole eval item, and a stub that was copied from a held-out page, are both found. N-grams of
page furniture ("Created using Sphinx ...") make every page of a site overlap a short one: what
occurs in many documents is left out of the sets (`regrow.data.dedup.held`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class References:
    """Reference texts by their n-gram sets."""

    def __init__(self, sets: list[NDArray[np.uint64]]) -> None:
        sizes = np.array([len(s) for s in sets], np.int64)
        owners = np.repeat(np.arange(len(sets)), sizes)
        grams = np.concatenate(sets) if sets else np.empty(0, np.uint64)
        order = np.argsort(grams, kind="stable")
        self.sizes = sizes
        self._grams, self._owners = grams[order], owners[order]

    def overlap(self, document: NDArray[np.uint64], size: int | None = None) -> tuple[float, int]:
        """Largest containment over all references, and whose it is (the first of equals).

        (0.0, -1) if the document shares no n-gram with any. `document` is a sorted set, `size` the
        number of its n-grams where only those that `seen` returned are given.
        """
        left = np.searchsorted(self._grams, document, "left")
        right = np.searchsorted(self._grams, document, "right")
        hit = np.flatnonzero(right > left)
        if len(hit) == 0:
            return 0.0, -1
        owners = np.concatenate([self._owners[left[h] : right[h]] for h in hit])
        common = np.bincount(owners, minlength=len(self.sizes))
        shares = common / np.maximum(
            np.minimum(self.sizes, len(document) if size is None else size), 1
        )
        best = int(np.argmax(shares))
        return float(shares[best]), best

    def seen(self, document: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The n-grams of the document that occur in some reference (sorted)."""
        place = np.searchsorted(self._grams, document)
        place[place == len(self._grams)] = 0
        if len(self._grams) == 0:
            return document[:0]
        return document[self._grams[place] == document]
