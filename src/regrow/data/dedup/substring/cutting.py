"""Substring deduplication of a table: the corpus is written to a file, its repeated windows are marked, texts are cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.dedup.substring import cuts
from regrow.data.dedup.substring.anchors import Anchors
from regrow.data.dedup.substring.places import Places
from regrow.data.dedup.substring.repeats import FIRST, Repeats
from regrow.data.tables import stream
from regrow.data.tables.conservation import balanced
from regrow.data.tables.drops import drop_row
from regrow.data.tables.parquet import DROPS
from regrow.data.tables.stream import Row, Schema
from regrow.params.data import Substring

PART = 32 << 20
"""bytes of text whose runs are held together: some 15 MB"""
MOST_PARTS = 512
"""files that are open at a time; a corpus of more than 16 GB has larger parts"""
CUT = {
    "id": pl.String,
    "url": pl.String,
    "bytes": pl.Int64,
    "spans": pl.Int64,
    "of_bytes": pl.Int64,
}
"""a row for each document that lost something: bytes cut out, in how many spans, of how many"""
DROPPED = "too_short.parquet"
"""the rows of documents that are dropped"""
Marks = NDArray[np.uint8]


@dataclass
class Cut:
    """What was cut out of all texts."""

    kept: int = 0
    bytes: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("in", "kept", "cut", "dropped"), 0)
    )
    documents: int = 0
    """that lost something; those that were dropped too are among them"""
    spans: int = 0
    dropped: int = 0
    """documents"""

    def counts(self) -> dict[str, int]:
        """For the record of the step."""
        return {
            "documents": self.documents, "spans": self.spans, "bytes": self.bytes["cut"], "of_bytes": self.bytes["in"],
        }  # fmt: skip


def run(table: Path, schema: Schema, params: Substring, output: Path, scratch: Path) -> Cut:
    """Write `documents.parquet` and `cuts.parquet` of a table whose rows are in their final order; to `scratch`, `DROPPED`.

    The first copy of what repeats itself is the one in the first document of that order. In memory are at most
    `regrow.data.dedup.substring.repeats.MOST` windows, the runs of `PART` bytes of text, and one document; `scratch` gets
    two bytes for each byte of text.

    Raises:
        regrow.data.tables.conservation.Lost: bytes were lost on the way, which is an error of this step.
    """
    folder = scratch / "substring"
    folder.mkdir()
    size = _corpus(table, folder / "corpus")
    cut = Cut()
    begin = 0
    with (
        Places(folder / "marks", size) as marks,
        stream.Writer(output / "documents.parquet", schema) as documents,
        stream.Writer(output / "cuts.parquet", CUT) as lost,
        stream.Writer(scratch / DROPPED, DROPS) as dropped,
    ):
        _mark(table, params, folder, marks, min(MOST_PARTS, max(1, -(-size // PART))))
        for row in stream.rows(table):
            data = (row["text"] or "").encode()
            left = _left(data, np.frombuffer(marks.read(begin, len(data)), np.uint8), params)
            begin += len(data)
            kept, told = _row(row, data, left, params, cut)
            if kept is None:
                dropped.add(_drop(row, left, params))
            else:
                documents.add(kept)
            if told is not None:
                lost.add(told)
    cut.kept, cut.dropped = documents.rows, dropped.rows
    before, *parts = cut.bytes.values()
    balanced("dedup", "bytes", before, **dict(zip(("kept", "cut", "dropped"), parts, strict=True)))
    print(
        f"dedup: {cut.bytes['cut']:,} of {before:,} bytes are cut out of {cut.documents:,} documents, "
        f"{cut.dropped:,} of which are then too short",
        file=sys.stderr, flush=True,
    )  # fmt: skip
    return cut


def _corpus(table: Path, path: Path) -> int:
    """Write all texts, one after the other; how many bytes they are."""
    with path.open("wb") as file:
        return sum(file.write(data) for data in _texts(table))


def _texts(table: Path) -> Iterator[bytes]:
    for row in stream.rows(table, ["text"]):
        yield (row["text"] or "").encode()


def _mark(table: Path, params: Substring, folder: Path, marks: Places, parts: int) -> None:
    """Mark the bytes of the corpus."""
    with Anchors(params.min_bytes, folder / "runs", parts) as anchors:
        begin = 0
        for data in _texts(table):
            anchors.add(np.frombuffer(data, np.uint8), begin)
            begin += len(data)
    with Places(folder / "corpus") as corpus:
        repeats = Repeats(corpus, marks, params.min_bytes, params.occurrences)
        for path in anchors.files:
            repeats.mark(path)


@dataclass(frozen=True)
class _Left:
    """What is left of a text, out of which so many spans were cut; `needed`: it has the first copy of something."""

    data: bytes
    spans: int
    needed: bool


def _left(data: bytes, marks: Marks, params: Substring) -> _Left:
    spans = cuts.spans(data, marks, params.min_bytes, params.share) if marks.any() else []
    return _Left(cuts.without(data, spans), len(spans), bool((marks == FIRST).any()))


def _characters(left: _Left) -> int:
    return len(left.data.decode().strip())


def _row(
    row: Row, data: bytes, left: _Left, params: Substring, cut: Cut
) -> tuple[Row | None, Row | None]:
    """The document as it stays (None: it is dropped), and the row that says what it lost (None: nothing)."""
    cut.bytes["in"] += len(data)
    if not left.spans:
        cut.bytes["kept"] += len(data)
        return row, None
    gone = len(data) - len(left.data)
    cut.documents += 1
    cut.spans += left.spans
    cut.bytes["cut"] += gone
    told = {
        "id": row["id"], "url": row["url"], "bytes": gone, "spans": left.spans, "of_bytes": len(data),
    }  # fmt: skip
    stays = left.needed or _characters(left) >= params.min_characters
    cut.bytes["kept" if stays else "dropped"] += len(left.data)
    return (_with(row, left.data.decode()) if stays else None), told


def _with(row: Row, text: str) -> Row:
    """The row with another text; a column `characters` counts those of the text."""
    return row | {"text": text} | ({"characters": len(text)} if "characters" in row else {})


def _drop(row: Row, left: _Left, params: Substring) -> Row:
    value, limit = float(_characters(left)), float(params.min_characters)
    return drop_row("dedup", row["id"], row["url"], "substring", value, limit)
