"""What stays of documents that were looked at: the last pass of decontamination, over all documents in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.dedup import choice
from regrow.data.dedup.held import HeldOut
from regrow.data.dedup.notes import Note
from regrow.data.tables import parquet as tables
from regrow.data.tables import stream
from regrow.data.tables.drops import drop_row
from regrow.data.tables.stream import Row, Schema
from regrow.params.data import Decontaminate


@dataclass
class Decided:
    """How many documents there were, and what became of them."""

    documents: Counter[str] = field(default_factory=Counter)
    """by domain"""
    trained: Counter[str] = field(default_factory=Counter)
    """by domain"""
    reasons: Counter[str] = field(default_factory=Counter)
    """of drops"""


def decide(
    table: Path,
    schema: Schema,
    held: HeldOut,
    params: Decontaminate,
    found: Iterable[Note],
    output: Path,
) -> Decided:
    """Write what is trained on (train.parquet) and what is dropped (drops.parquet).

    Args:
        table: documents in the order of their ids.
        schema: its columns.
        held: the held-out documents without the n-grams that are common.
        found: a note for each document.
        output: a folder.
    """
    decided = Decided()
    limit = params.max_overlap
    with (
        stream.Writer(output / "train.parquet", {**schema, "domain": pl.String}) as train,
        _Drops(output / "drops.parquet", decided.reasons) as drops,
    ):
        rows = stream.rows(table, list(schema))
        for document, note in zip(rows, found, strict=True):
            domain = choice.domain(document, params)
            decided.documents[domain] += 1
            if note.held:
                drops.add(_row(document, "held_out", None, None, domain))
                continue
            if note.drop:
                drops.add(_row(document, *note.drop))
                continue
            value, which = held.overlap(note)
            if value > limit:
                drops.add(_row(document, "overlaps_heldout", value, limit, held.ids[which]))
                continue
            held.saw(note.hits)
            decided.trained[domain] += 1
            train.add({**document, "domain": domain})
    return decided


class _Drops:
    """Writes drops that come sorted by id; those of one id are sorted by reason and detail."""

    def __init__(self, path: Path, reasons: Counter[str]) -> None:
        self._reasons = reasons
        self._writer = stream.Writer(path, tables.DROPS)
        self._same: list[Row] = []

    def __enter__(self) -> _Drops:
        self._writer.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._flush()
        self._writer.__exit__(kind, error, trace)

    def add(self, row: Row) -> None:
        if self._same and self._same[0]["id"] != row["id"]:
            self._flush()
        self._same.append(row)
        self._reasons[row["reason"]] += 1

    def _flush(self) -> None:
        for row in sorted(self._same, key=_place):
            self._writer.add(row)
        self._same = []


def _place(drop: Row) -> tuple[str, bool, str]:
    detail = drop["detail"]
    return drop["reason"], detail is None, detail or ""


def _row(
    document: Row,
    reason: str,
    value: float | None,
    threshold: float | None,
    detail: str | None,
) -> Row:
    return drop_row(
        "decontaminate", document["id"], document["url"], reason, value, threshold, detail
    )
