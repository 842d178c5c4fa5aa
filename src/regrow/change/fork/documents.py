"""What somebody brings, as two tables: documents (`text`) and conversations (`messages`).

A row has a licence, and may have a url and a source. Its id is, as everywhere in the flow, the first 32 hex
digits of SHA-256 over address, NUL, text (of a conversation: its messages as JSON); so the same rows give
the same tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from regrow.change.fork import files
from regrow.change.fork.rows import rows
from regrow.evidence.errors import Unanswerable
from regrow.learn.tasks.sft import given

_PART = 4_096
_PART_BYTES = 32 * 2**20
KINDS = {"documents": "text", "chats": "messages"}
"""table -> the column that says what a row is"""


@dataclass(frozen=True)
class Brought:
    """One of the tables, sorted by id, each row once; and what was read and left out."""

    frame: pl.DataFrame
    counts: dict[str, int]


def read(paths: Sequence[Path], source: str, licence: str | None) -> dict[str, Brought]:
    """The tables (`documents`, `chats`) that have a row, from all `paths`.

    Args:
        paths: .jsonl or .parquet files with a column `text` or `messages` (and `licence`, `url`,
            `source`), text files, or folders of text files.
        source: name of the source where a row names none.
        licence: SPDX identifier where a row names none.

    Raises:
        Unanswerable: not readable, neither text nor messages, or a row without licence; it names file and
            place.
    """
    licence = files.label("--licence", "licence", licence) or None
    source = files.label("--source", "source", source)
    found = {kind: _Growing(column) for kind, column in KINDS.items()}
    for path in paths:
        for place, row in rows(path):
            kind = "chats" if "messages" in row else "documents"
            found[kind].add(_row(place, kind, row, source, licence))
    tables = {kind: growing.brought() for kind, growing in found.items() if growing.ids}
    if not tables:
        raise Unanswerable(
            f"--data {', '.join(map(files.shown, paths))}: no document with text in it. Give {files.READ}, "
            "with a column `text` or `messages` where it is a table, or a folder of such files."
        )
    return tables


class _Growing:
    """A table that is read row by row: rows become columns part by part, so it is in memory once."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.schema = dict.fromkeys(("id", "url", "source", "licence", column), pl.String)
        self.ids: set[bytes] = set()
        self.counts = {"read": 0, "empty": 0, "repeated": 0}
        self.parts: list[pl.DataFrame] = []
        self.open: list[dict[str, Any]] = []
        self.size = 0

    def add(self, row: dict[str, Any]) -> None:
        self.counts["read"] += 1
        if not row[self.column].strip():
            self.counts["empty"] += 1
        elif (identity := bytes.fromhex(row["id"])) in self.ids:
            self.counts["repeated"] += 1
        else:
            self.ids.add(identity)
            self.open.append(row)
            self.size += len(row[self.column])
            if len(self.open) >= _PART or self.size >= _PART_BYTES:
                self._close()

    def _close(self) -> None:
        self.parts.append(pl.DataFrame(self.open, schema=self.schema))
        self.open, self.size = [], 0

    def brought(self) -> Brought:
        """All rows, sorted by id."""
        self._close()
        return Brought(pl.concat(self.parts).sort("id"), self.counts)


def _row(
    place: str, kind: str, row: dict[str, Any], source: str, licence: str | None
) -> dict[str, Any]:
    own = row.get("licence") or row.get("license") or licence
    content = (
        _messages(place, row["messages"]) if kind == "chats" else _text(place, row.get("text"))
    )
    if not own:
        raise Unanswerable(
            f"{place}: the document has no licence. Add a column `licence`, or give --licence for all."
        )
    url = files.label(place, "url", row.get("url"))
    name = hashlib.sha256(f"{url}\0{content}".encode()).hexdigest()[:32]
    return {
        "id": name,
        "url": url or None,
        "source": files.label(place, "source", row.get("source")) or source,
        "licence": files.label(place, "licence", own),
        KINDS[kind]: content,
    }


def _messages(place: str, value: Any) -> str:
    try:
        return given.messages(place, value)
    except ValueError as error:
        raise Unanswerable(str(error)) from None


def _text(place: str, text: Any) -> str:
    if not isinstance(text, str):
        said = text if isinstance(text, (int, float, bool)) else type(text).__name__
        raise Unanswerable(f"{place}: `text` must be a string, got {said}.")
    return given.plain(text)
