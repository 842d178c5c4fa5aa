"""Rows of files that somebody brings: JSONL, Parquet, a text file or a folder of text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from regrow.flow.visible import plain, visible
from regrow.lineage.errors import Unanswerable

SUFFIXES = (".txt", ".md", ".rst", ".text")
"""of the files of a folder that are read; others are left out"""
COLUMNS = ("text", "messages", "licence", "license", "url", "source")
"""that are read of a table"""


ABOUT = ("licence", "license", "url", "source")
"""columns that are said of a row wherever it is shown: one line each, nothing unseen in it"""


def rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of everything at `path`; a text file is a row with `text` and `url`.

    Raises:
        Unanswerable: not there, not readable, or a licence, url or source with a control character; it
            names file and place.
    """
    for place, row in _rows(path):
        for column in ABOUT:
            value = row.get(column)
            unseen = [c for c in value if not plain(c)] if isinstance(value, str) else []
            if unseen:
                raise Unanswerable(
                    f"{visible(place)}: `{column}` has the control character U+{ord(unseen[0]):04X}: "
                    f"{visible(str(value), 120)}. Take it out."
                )
        yield place, row


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row), whatever is said of the row."""
    if not path.exists():
        raise Unanswerable(f"--data {path}: there is no such file or folder.")
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
        # Not splitlines: a string of JSON may hold U+2028 and its like.
        for number, line in enumerate(_text(path).split("\n"), 1):
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
        raise Unanswerable(
            f"{path}, line {number}: must be an object with a field `text` or `messages`."
        )
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        frame = pl.scan_parquet(path)
        have = frame.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unanswerable(f"{path}: not a Parquet file ({error}).") from None
    if "text" not in have and "messages" not in have:
        raise Unanswerable(
            f"{path}: has no column `text` and no column `messages`; it has {', '.join(have)}."
        )
    wanted = [c for c in COLUMNS if c in have]
    for number, row in enumerate(frame.select(wanted).collect().iter_rows(named=True), 1):
        yield (
            f"{path}, row {number}",
            {name: value for name, value in row.items() if value is not None},
        )
