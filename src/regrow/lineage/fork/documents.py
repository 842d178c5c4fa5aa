"""Documents that somebody brings: JSONL, Parquet or a folder of text, as one table.

A document has a text and a licence, and may have a url and a source. Its id is, as everywhere in the flow, the
first 32 hex digits of SHA-256 over address, NUL, text; so the same documents give the same table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from regrow.lineage.errors import Unanswerable

SCHEMA = {
    "id": pl.String,
    "url": pl.String,
    "source": pl.String,
    "licence": pl.String,
    "text": pl.String,
}
SUFFIXES = (".txt", ".md", ".rst", ".text")
"""of the files of a folder that are read; others are named in the error or left out"""


def read(path: Path, source: str, licence: str | None) -> tuple[pl.DataFrame, dict[str, int]]:
    """The documents at `path`, sorted by id, each once.

    Args:
        path: a .jsonl or .parquet file with a column `text` (and `licence`, `url`, `source`), a text file,
            or a folder of text files.
        source: name of the source where a document names none.
        licence: SPDX identifier where a document names none.

    Returns:
        the table; and how many were read, empty, repeated.

    Raises:
        Unanswerable: not readable, no text, or a document without licence; it names file and place.
    """
    if not path.exists():
        raise Unanswerable(f"--data {path}: there is no such file or folder.")
    found: dict[str, dict[str, Any]] = {}
    counts = {"read": 0, "empty": 0, "repeated": 0}
    for place, row in _rows(path):
        counts["read"] += 1
        document = _document(place, row, source, licence)
        if not document["text"].strip():
            counts["empty"] += 1
        elif document["id"] in found:
            counts["repeated"] += 1
        else:
            found[document["id"]] = document
    if not found:
        raise Unanswerable(
            f"--data {path}: no document with text in it. Give a .jsonl or .parquet file with a column "
            f"`text`, or a folder with files {', '.join(SUFFIXES)}."
        )
    frame = pl.DataFrame([found[id] for id in sorted(found)], schema=SCHEMA)
    return frame, counts


def _document(place: str, row: dict[str, Any], source: str, licence: str | None) -> dict[str, Any]:
    text = row.get("text")
    if not isinstance(text, str):
        raise Unanswerable(
            f"{place}: `text` must be a string, got {json.dumps(text, default=str)[:60]}."
        )
    own = row.get("licence") or row.get("license") or licence
    if not own:
        raise Unanswerable(
            f"{place}: the document has no licence. Add a column `licence`, or give --licence for all."
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    url = str(row.get("url") or "")
    name = hashlib.sha256(f"{url}\0{text}".encode("utf-8", "replace")).hexdigest()[:32]
    return {
        "id": name,
        "url": url or None,
        "source": str(row.get("source") or source),
        "licence": str(own),
        "text": text,
    }


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in SUFFIXES)
        for file in files:
            yield (
                str(file),
                {"text": _text(file), "url": f"file:{file.relative_to(path).as_posix()}"},
            )
    elif path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        for number, line in enumerate(_text(path).splitlines(), 1):
            if line.strip():
                yield f"{path}, line {number}", _json(path, number, line)
    elif path.suffix in SUFFIXES:
        yield str(path), {"text": _text(path), "url": f"file:{path.name}"}
    else:
        raise Unanswerable(
            f"--data {path}: give a folder, .jsonl, .parquet or {', '.join(SUFFIXES)}."
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unanswerable(
            f"{path}: not UTF-8 text ({error}). Convert it, e.g. with `iconv`."
        ) from None


def _json(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise Unanswerable(f"{path}, line {number}: not JSON ({error}).") from None
    if not isinstance(row, dict):
        raise Unanswerable(f"{path}, line {number}: must be an object with a field `text`.")
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        frame = pl.scan_parquet(path)
        have = frame.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unanswerable(f"{path}: not a Parquet file ({error}).") from None
    if "text" not in have:
        raise Unanswerable(f"{path}: has no column `text`; it has {', '.join(have)}.")
    wanted = [c for c in ("text", "licence", "license", "url", "source") if c in have]
    for number, row in enumerate(frame.select(wanted).collect().iter_rows(named=True), 1):
        yield f"{path}, row {number}", row
