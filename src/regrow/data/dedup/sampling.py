"""Which pages may be in which PDFs: found by a sample of their n-grams, so that no text is read for it.

The sample of a text is the n-grams whose numbers end in three zero bits, an eighth of them: of two texts the sample
holds an eighth of what they share, whichever texts these are (FracMinHash: Irber et al., "Lightweight compositional
analysis of metagenomes with FracMinHash and minimum metagenome covers", 2022). `regrow.data.dedup.signatures` writes it.

In memory are the samples of some PDFs at a time (`HELD` n-grams); the pages are read past them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SCALE = 8
"""one n-gram of so many is in the sample"""
HELD = 16 << 20
"""n-grams of PDFs in memory, 16 bytes each; one PDF may have more"""
COMMON = 200
"""PDFs with an n-gram (of those in memory) from which on it says nothing"""
MOST = 20
"""PDFs in which a page is looked for: those with the most of its sample"""
_NEAR = 0.5
"""share of the limit that the sample must reach: it is small for a short page"""
_HITS = 4 << 20
"""n-grams in common that are counted at a time"""
Rows = NDArray[np.int64]
Grams = NDArray[np.uint64]


class Samples(Protocol):
    """Samples of documents, read again at will."""

    def samples(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[Rows, Rows, Grams]]:
        """Rows that are wanted, how many n-grams the sample of each has, and these n-grams, some rows at a time."""

    def column(self, name: str) -> Grams:
        """A column of the signatures."""


@dataclass(frozen=True)
class Pairs:
    """Pages that may be in PDFs, by their rows."""

    pdf: Rows
    page: Rows


def sample(grams: Grams) -> Grams:
    """The sample of a set of n-grams, in its order."""
    return grams[grams % np.uint64(SCALE) == 0]


def candidates(
    found: Samples, pdfs: NDArray[np.bool_], pages: NDArray[np.bool_], share: float
) -> Pairs:
    """The pairs that may reach the share `share` of the page's n-grams; of a page `MOST` at most."""
    kept = [np.zeros((3, 0), np.int64)]
    for batch in _batches(np.flatnonzero(pdfs), found.column("grams")):
        index = _Index(found, batch, len(pdfs))
        if len(index.grams):
            kept += [index.look(*some, share) for some in found.samples(pages)]
    pdf, page, common = np.concatenate(kept, axis=1)
    order = np.lexsort((pdf, -common, page))
    pdf, page = pdf[order], page[order]
    first = np.searchsorted(page, page)  # where the pairs of its page begin
    best = np.arange(len(page)) - first < MOST
    return Pairs(pdf[best], page[best])


def _batches(rows: Rows, grams: Grams) -> Iterator[Rows]:
    """The PDFs, some at a time, by the number of their n-grams."""
    whole = np.cumsum(grams[rows].astype(np.int64)) // (SCALE * HELD)
    for part in np.unique(whole):
        yield rows[whole == part]


class _Index:
    """N-grams of some PDFs, each with the PDFs that have it in their samples."""

    def __init__(self, found: Samples, rows: Rows, count: int) -> None:
        wanted = np.zeros(count, bool)
        wanted[rows] = True
        owners, grams = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
        for some, sizes, values in found.samples(wanted):
            owners.append(np.repeat(some, sizes))
            grams.append(values)
        every, owner = np.concatenate(grams), np.concatenate(owners)
        order = np.lexsort((owner, every))
        self.owner = owner[order]
        self.grams, self.starts, self.times = np.unique(
            every[order], return_index=True, return_counts=True
        )
        self.count = count

    def look(self, rows: Rows, sizes: Rows, values: Grams, share: float) -> NDArray[np.int64]:
        """PDF, page and n-grams in common, (3, pairs), of pages that have enough of them."""
        at = np.searchsorted(self.grams, values)
        at[at == len(self.grams)] = 0
        hit = (self.grams[at] == values) & (self.times[at] <= COMMON)
        own = np.repeat(np.arange(len(rows)), sizes)[hit]
        at = at[hit]
        ends = np.cumsum(self.times[at])
        made = [np.zeros((3, 0), np.int64)]
        begin = 0
        while begin < len(own):
            reach = (ends[begin - 1] if begin else 0) + _HITS
            stop = int(np.searchsorted(ends, reach, "right"))
            stop = int(
                np.searchsorted(own, own[min(max(stop, begin), len(own) - 1)])
            )  # whole pages
            if stop <= begin:
                stop = int(np.searchsorted(own, own[begin], "right"))
            made.append(self._pairs(rows, sizes, own[begin:stop], at[begin:stop], share))
            begin = stop
        return np.concatenate(made, axis=1)

    def _pairs(
        self, rows: Rows, sizes: Rows, own: Rows, at: Rows, share: float
    ) -> NDArray[np.int64]:
        times = self.times[at]
        inside = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        pdf = self.owner[np.repeat(self.starts[at], times) + inside]
        pair, common = np.unique(np.repeat(own, times) * self.count + pdf, return_counts=True)
        page, pdf = pair // self.count, pair % self.count
        enough = common >= np.maximum(1.0, _NEAR * share * sizes[page])
        return np.stack([pdf[enough], rows[page[enough]], common[enough]]).astype(np.int64)
