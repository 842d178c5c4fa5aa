"""The costly pass of decontamination over a part of the documents: what each shares with what is held out.

It leaves notes on disk, a note for each document in order, and how many of the part's documents have each held-out
n-gram. Counts of parts add up, so `regrow.data.dedup.decontaminate` decides alike for any number of parts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.dedup import choice, shingles
from regrow.data.dedup.held import HeldOut
from regrow.data.dedup.notes import Note, Notes
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import distinct
from regrow.data.dedup.unwanted import Unwanted
from regrow.data.tables import parquet as tables
from regrow.data.tables import stream
from regrow.data.tables.stream import Rows
from regrow.params.data import Decontaminate

NOTES = "notes.bin"
COUNTS = "counts.parquet"
REPORT_EVERY = 2_000


def look(
    table: Path,
    within: Rows,
    held: HeldOut,
    items: Unwanted,
    params: Decontaminate,
    output: Path,
) -> int:
    """Look at the documents of a range: write `NOTES` and `COUNTS`, return how many documents were looked at.

    Args:
        table: documents in the order of their ids; url, source and text are read.
        within: the range.
        held: which documents are held out; the documents of the range are counted in it.
        items: what no document that is trained on may hold.
        output: a folder.
    """
    seen = 0
    sequences = Sequences(params.ngram)
    with Notes(output / NOTES) as written:
        for document in stream.rows(table, ["url", "source", "text"], within):
            if seen and seen % REPORT_EVERY == 0:
                rest = within[1] - within[0]
                print(f"decontaminate: {seen} of {rest} documents", file=sys.stderr, flush=True)
            seen += 1
            if choice.group(document, choice.domain(document, params)) in held.groups:
                written.add(Note(held=True))
                continue
            text = document["text"] or ""
            words = sequences.words(text)
            grams = distinct(shingles.grams(words, min(params.ngram, len(words))))
            hits = held.hits(grams)
            held.count(hits)
            if drop := items.find(text, words):
                written.add(Note(drop=drop))
            else:
                written.add(Note(size=len(grams), hits=hits))
    counts = pl.DataFrame({"documents": held.times}, schema={"documents": pl.Int64})
    tables.write(counts, output / COUNTS)
    return seen


def times(folder: Path) -> NDArray[np.int64]:
    """What `look` counted."""
    found: NDArray[np.int64] = tables.read(folder / COUNTS)["documents"].to_numpy()
    return found
