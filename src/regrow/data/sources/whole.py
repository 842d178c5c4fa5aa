"""Files that are a document each: their bytes, their text, their address."""

from __future__ import annotations

import os
from pathlib import Path

from regrow.data.sources import table
from regrow.data.sources.decoding import clean
from regrow.data.sources.item import Refused
from regrow.data.sources.opening import HEAD_BYTES, BrokenError, chunks, opened, packing
from regrow.data.text.record import Record
from regrow.params.source import Source


def beginning(path: Path, said: str) -> bytes | Refused:
    """The first bytes of a file as it is on disk, by which it is named where it is refused; `said` is its name."""
    try:
        with opened(path) as file:
            return file.read(HEAD_BYTES)
    except BrokenError as error:
        return Refused(b"", error.reason, error.detail, said)
    except OSError:
        return Refused(b"", "unreadable", "the system reports an error", said)


def content(path: Path, name: str, source: Source) -> bytes | Refused:
    """All bytes of a file, unpacked; no more than `source.max_document_bytes` and one chunk are held.

    Refused are: `unreadable`, `cut_short`, `bad_compression`, `too_large`, `empty`.
    """
    limit, said = source.max_document_bytes, clean(name)
    parts: list[bytes] = []
    size = 0
    try:
        for part in chunks(path):
            parts.append(part)
            size += len(part)
            if size > limit:
                head = b"".join(parts)[:HEAD_BYTES]
                detail = "bytes of the file, unpacked"
                known = None if packing(path.name) else float(path.stat().st_size)
                return Refused(head, "too_large", detail, said, said, "", known, float(limit))
    except BrokenError as error:
        return Refused(b"".join(parts)[:HEAD_BYTES], error.reason, error.detail, said, said)
    if not size:
        return Refused(b"", "empty", "no bytes", said, said)
    return b"".join(parts)


def address(name: str, source: Source) -> str:
    """What a file is called that has no web address, its path quoted byte by byte."""
    return table.address(source.name, os.fsencode(name))


def record(path: Path, name: str, source: Source, mime: str) -> Record | Refused:
    """A file as a page of this type, for the parser of pages."""
    body = content(path, name, source)
    if isinstance(body, Refused):
        return body
    return Record(
        url=address(name, source), kind="resource", record_id="", status=200, headers={"content-type": mime},
        body=body, truncated="", short=0, oversize=False,
    )  # fmt: skip
