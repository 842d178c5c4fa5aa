"""Rows of JSON, one on each line (JSON Lines, NDJSON), packed or not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from regrow.data.sources.decoding import clean
from regrow.data.sources.fields import Fields
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.json_rows import RowError, row
from regrow.data.sources.lines import Line, lines
from regrow.data.sources.opening import HEAD_BYTES, BrokenError, chunks
from regrow.data.sources.step import reading
from regrow.params.readers.jsonl import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes
_MARK = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_NO_ROW = ("bad_json", "not_an_object")
_HINT = "not JSON lines; `jq -c '.[]' FILE` writes an array as one object on each line"


def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused]:
    """A document for each line, in the order of the file; blank lines are none.

    A file that is one JSON array or object over many lines is refused as a whole (`not_lines`), as is one in UTF-16
    (`bad_charset`).
    """
    fields, said, first = Fields(source), clean(name), True
    opened: Refused | None = None
    try:
        for line in lines(chunks(path), source.max_row_bytes):
            content = line.content.removeprefix(
                _MARK
            )  # anywhere: `cat` puts a file's start behind another
            if not content.strip():
                continue
            place = f"{said}, line {line.number}"
            if line.number == 1 and content.startswith(_WIDE):
                yield Refused(content[:HEAD_BYTES], "bad_charset", "UTF-16; JSON is UTF-8", place)
                return
            made = _read(line, content, place, fields, source)
            if opened is not None:
                if isinstance(made, Refused) and made.reason in _NO_ROW:
                    yield dataclasses.replace(opened, reason="not_lines", detail=_HINT)
                    return
                yield opened  # a row that is cut off, and rows after it
                opened = None
            if (
                first
                and isinstance(made, Refused)
                and made.reason == "bad_json"
                and _opens(content)
            ):
                opened, first = made, False
                continue
            first = False
            yield made
        if opened is not None:
            yield dataclasses.replace(opened, reason="not_lines", detail=_HINT)
    except BrokenError as error:
        if opened is not None:
            yield opened
        place = f"{said}, {error.place}" if error.place else said
        yield Refused(error.rest, error.reason, error.detail, place)


def _opens(content: bytes) -> bool:
    """Does the first line open a value that ends on a later one? A row that was cut off ends otherwise."""
    line = content.strip()
    return line.startswith((b"[", b"{")) and line.endswith((b"[", b"{", b",", b":"))


def _read(line: Line, content: bytes, place: str, fields: Fields, source: Source) -> Item | Refused:
    try:
        if not line.whole:
            limit = float(source.max_row_bytes)
            raise RowError("row_too_large", "bytes of the line", float(line.size), limit)
        return fields.item(row(content), content, place)
    except RowError as error:
        array = content.lstrip().startswith(b"[")
        detail = f"{error.detail}; {_HINT}" if array else error.detail
        return Refused(content[:HEAD_BYTES], error.reason, detail, place, value=error.value, threshold=error.threshold)  # fmt: skip


run = reading(SUFFIXES, read)
