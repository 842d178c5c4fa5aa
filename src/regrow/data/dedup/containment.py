"""One text as a PDF and as pages: which pages a PDF holds, which PDFs are held by pages, and which copy stays.

A handbook of 60,000 words and one of its hundred pages have a Jaccard similarity below 0.2, so that MinHash cannot find
the pair. *Containment* can (Broder, "On the resemblance and containment of documents", 1997): the share of a page's
n-grams that are in the PDF. Candidates share n-grams of a sample (`regrow.data.dedup.sampling`); each is verified by
all n-grams of both. A PDF is held by pages where those that it holds cover enough of its own n-grams together.

What goes is always held by what stays, or by what goes to something that holds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.sampling import Pairs, candidates
from regrow.data.dedup.shingles import distinct
from regrow.data.dedup.signatures import Signatures
from regrow.data.dedup.texts import Texts
from regrow.params.data import Containment

PDF = "application/pdf"
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Held:
    """A document that goes: what it is held by, which share of its n-grams, and the limit that this reaches."""

    by: int
    value: float
    limit: float
    reason: str


@dataclass
class _Pdf:
    """What the pages do to a PDF."""

    row: int
    pages: list[tuple[int, float]] = field(default_factory=list)
    """those that it holds, with their containment"""
    cover: float = 0.0
    """share of its n-grams that they have together"""
    most: tuple[int, int] = (0, 0)
    """n-grams in common with the page that has the most of them, and minus its row"""


def held(
    texts: Texts, found: Signatures, left: NDArray[np.bool_], pdf: NDArray[np.bool_], p: Containment
) -> dict[int, Held]:
    """The rows that go.

    Args:
        left: rows that are still there.
        pdf: rows that are PDFs; all others are pages, whatever their kind.
    """
    large = found.column("grams") >= p.min_ngrams
    pairs = candidates(found, left & pdf & large, left & ~pdf & large, p.share)
    texts.read(np.unique(np.concatenate([pairs.pdf, pairs.page])), texts=True)
    seen = [*_verified(texts, pairs, p)]
    gone = _decided(seen, p)
    if seen:
        covered = sum(one.reason == "in_pages" for one in gone.values())
        said = f"dedup: {len(seen)} PDFs hold pages; {covered} of them go, and {len(gone) - covered} pages"
        print(said, file=sys.stderr, flush=True)
    return gone


def _verified(texts: Texts, pairs: Pairs, p: Containment) -> Iterator[_Pdf]:
    """The PDFs that hold a page at least, by their rows."""
    order = np.lexsort((pairs.page, pairs.pdf))
    ordered = [*zip(pairs.pdf[order].tolist(), pairs.page[order].tolist(), strict=True)]
    grouped = [
        (row, [page for _, page in rows]) for row, rows in groupby(ordered, lambda one: one[0])
    ]
    sequences = texts.sequences(row for pdf, pages in grouped for row in (pdf, *pages))
    for row, pages in grouped:
        whole = distinct(next(sequences))
        covered = np.zeros(len(whole), bool)
        found = _Pdf(row)
        for page in pages:
            own = distinct(next(sequences))
            at = np.searchsorted(whole, own)
            at = at[at < len(whole)]  # both are sorted, so these are the first
            at = at[whole[at] == own[: len(at)]]
            if len(at) >= p.share * len(own):
                found.pages.append((page, len(at) / len(own)))
                found.most = max(found.most, (len(at), -page))
                covered[at] = True
        if found.pages:
            found.cover = float(np.count_nonzero(covered)) / len(whole)
            yield found


def _decided(seen: list[_Pdf], p: Containment) -> dict[int, Held]:
    """Which copy stays: with `keep: pages` the pages, if they cover the PDF; else the PDF."""
    gone: dict[int, Held] = {}
    for one in seen:
        if p.keep == "pages" and one.cover >= p.cover:
            gone[one.row] = Held(-one.most[1], one.cover, p.cover, "in_pages")
            continue
        for page, value in one.pages:
            best = gone.get(page)
            if best is None or value > best.value:
                gone[page] = Held(one.row, value, p.share, "in_pdf")
    return gone
