"""Web archives: WARC, ARC and WET (the text of pages, as conversion records), packed by gzip or Zstandard."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import Any

from regrow.data.sources.decoding import clean
from regrow.data.sources.item import Refused
from regrow.data.sources.opening import HEAD_BYTES, BrokenError, chunks, opened, packing
from regrow.data.sources.step import reading
from regrow.data.sources.whole import beginning
from regrow.data.text import archive
from regrow.data.text.record import Record
from regrow.params.readers.warc import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes


def read(path: Path, name: str, source: Source) -> Iterator[Refused | Record]:
    """The pages of an archive, with bodies cut at `source.max_document_bytes`.

    A place that no reader of archives gets past is `unreadable_record`, once for the file. Whether an id came
    before in the same file is not said: that depends on how records were cut into files.
    """
    said = clean(name)
    head = beginning(path, said)
    if isinstance(head, Refused):
        yield head
        return
    packed = path.name.lower().endswith(".zst")
    troubles, short = [], False
    for one in _found(_Unpacked(path) if packed else path, source.max_document_bytes):
        if isinstance(one, archive.Trouble):
            troubles.append(one)
        else:
            short = short or one.short > 0
            yield dataclasses.replace(one, repeated=False)
    fatal = [one for one in troubles if one.fatal]
    if fatal:
        found = (f"{one.reader} after {one.after} records: {one.message}" for one in fatal)
        detail = "; ".join(found).replace(path.name, "the file")
        yield Refused(head, "unreadable_record", detail, said)
    elif not short and (cut := _cut(path)):
        yield Refused(head, "unreadable_record", cut, said)


def _cut(path: Path) -> str:
    """Where the file ends too early: its readers take a record that is cut off before its body for the end."""
    packed, tail = packing(path.name), b""
    try:
        if packed:
            for piece in chunks(path):
                tail = (tail + piece)[-HEAD_BYTES:]
        else:
            with opened(path) as file:
                file.seek(max(0, path.stat().st_size - HEAD_BYTES))
                tail = file.read()
    except BrokenError as error:
        return error.detail
    except OSError:
        return "the system reports an error"
    last = tail.replace(b"\r\n", b"\n").rpartition(b"\n\n")[2]
    return "ends in the head of a record" if last.startswith(b"WARC/") else ""


def _found(path: Path, max_bytes: int) -> Iterator[Record | archive.Trouble]:
    """`archive.read`, which a panic of fastwarc's Rust code would end: that is no `Exception`."""
    try:
        yield from archive.read(path, max_bytes)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        yield archive.Trouble(path.name, "fastwarc", 0, "its code panics")


class _Unpacked(PosixPath):
    """An archive packed by Zstandard, whose readers see it unpacked.

    fastwarc would unpack it by itself, but not warcio, which then takes the packed bytes for a broken ARC file.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """The unpacked bytes."""
        return _Stream(chunks(Path(self)))


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Where the reader is, which fastwarc asks like this; nothing moves."""
        if (offset, whence) != (0, io.SEEK_CUR):
            raise OSError("a packed file is read from its start to its end")
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; `OSError` where the packed file is broken."""
        while not self._rest:
            try:
                piece = next(self._pieces, None)
            except BrokenError as error:
                raise OSError(f"{error.reason}: {error.detail}") from None
            if piece is None:
                return 0
            self._rest = piece
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        self._place += len(part)
        return len(part)


run = reading(SUFFIXES, read)
