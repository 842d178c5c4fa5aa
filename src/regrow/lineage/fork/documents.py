"""What somebody brings, as two tables: documents (`text`) and conversations (`messages`).

A row has a licence, and may have a url and a source. Its id is, as everywhere in the flow, the first 32 hex
digits of SHA-256 over address, NUL, text (of a conversation: its messages as JSON); so the same rows give
the same tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from regrow.lineage.errors import Unanswerable
from regrow.lineage.fork import chats
from regrow.lineage.fork.rows import SUFFIXES, rows

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
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
    counts = {kind: {"read": 0, "empty": 0, "repeated": 0} for kind in KINDS}
    for path in paths:
        for place, row in rows(path):
            kind = "chats" if "messages" in row else "documents"
            counts[kind]["read"] += 1
            read = _row(place, kind, row, source, licence)
            if not read[KINDS[kind]].strip():
                counts[kind]["empty"] += 1
            elif read["id"] in found[kind]:
                counts[kind]["repeated"] += 1
            else:
                found[kind][read["id"]] = read
    tables = {
        kind: Brought(_frame(found[kind], column), counts[kind])
        for kind, column in KINDS.items()
        if found[kind]
    }
    if not tables:
        raise Unanswerable(
            f"--data {', '.join(map(str, paths))}: no document with text in it. Give a .jsonl or .parquet "
            f"file with a column `text` or `messages`, or a folder with files {', '.join(SUFFIXES)}."
        )
    return tables


def _frame(found: dict[str, dict[str, Any]], column: str) -> pl.DataFrame:
    schema = dict.fromkeys(("id", "url", "source", "licence", column), pl.String)
    return pl.DataFrame([found[id] for id in sorted(found)], schema=schema)


def _row(
    place: str, kind: str, row: dict[str, Any], source: str, licence: str | None
) -> dict[str, Any]:
    own = row.get("licence") or row.get("license") or licence
    content = (
        chats.messages(place, row["messages"]) if kind == "chats" else _text(place, row.get("text"))
    )
    if not own:
        raise Unanswerable(
            f"{place}: the document has no licence. Add a column `licence`, or give --licence for all."
        )
    url = str(row.get("url") or "")
    name = hashlib.sha256(f"{url}\0{content}".encode("utf-8", "replace")).hexdigest()[:32]
    return {
        "id": name,
        "url": url or None,
        "source": str(row.get("source") or source),
        "licence": str(own),
        KINDS[kind]: content,
    }


def _text(place: str, text: Any) -> str:
    if not isinstance(text, str):
        raise Unanswerable(
            f"{place}: `text` must be a string, got {json.dumps(text, default=str)[:60]}."
        )
    # A lone surrogate, which JSON can spell, is no text that could be stored.
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
