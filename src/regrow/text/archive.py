"""Read WARC files of any origin: fastwarc first, where it stumbles warcio, last member by member.

Each reader fails on files that another one reads (wrong lengths, one gzip member for the whole
file, ARC). Reading each gzip member by itself finds the records after a broken one. What no reader
reads is reported and skipped; nothing here raises.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from warcio.archiveiterator import ArchiveIterator as SlowIterator

_KINDS = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.revisit
_MAX_MEMBER = 256 << 20
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Record:
    """A page, or what should have been one."""

    url: str
    kind: str
    """response, resource or revisit"""
    record_id: str
    status: int
    headers: dict[str, str]
    """of the HTTP answer, names in lower case, the first of each; only content-type for a resource"""
    body: bytes
    """as sent: transfer and content coding are not undone"""
    truncated: str
    """WARC-Truncated, or "" """
    short: int
    """bytes missing at the end"""
    oversize: bool
    """longer than asked for; `body` is cut"""


@dataclass(frozen=True)
class Trouble:
    """A place where a reader stopped."""

    file: str
    reader: str
    after: int
    """records that it had read by then"""
    message: str
    fatal: bool = True
    """no other reader got further: records may be lost"""


def read(path: Path, max_bytes: int) -> Iterator[Record | Trouble]:
    """Pages of a WARC file in order, each once, with bodies cut at `max_bytes`; then the troubles."""
    seen: set[str] = set()
    troubles: list[Trouble] = []
    for name, source in (("fastwarc", _fast), ("warcio", _slow), ("members", _members)):
        before = len(seen)
        trouble = yield from _attempt(path, max_bytes, seen, name, source)
        if troubles and (trouble is None or len(seen) > before):
            last = troubles[-1]
            troubles[-1] = Trouble(last.file, last.reader, last.after, last.message, fatal=False)
        if trouble is None:
            break
        troubles.append(trouble)
    yield from troubles


_Source = Callable[[Path, int], Iterator[Record]]


class _ShortRecordError(Exception):
    """The file ends inside a record."""


def _attempt(
    path: Path, max_bytes: int, seen: set[str], name: str, source: _Source
) -> Generator[Record, None, Trouble | None]:
    """Yield records that are not in `seen`; return the trouble that ended it, None at a clean end."""
    count = 0
    try:
        for record in source(path, max_bytes):
            if name == "fastwarc" and record.short:
                raise _ShortRecordError(f"{record.url} lacks {record.short} bytes")
            count += 1
            key = record.record_id or f"{record.kind} {record.url}"
            if key not in seen:
                seen.add(key)
                yield record
    except Exception as error:  # parsers raise whatever they raise
        text = " ".join(str(error).replace(str(path), path.name).split())[:200]
        return Trouble(path.name, name, count, f"{type(error).__name__}: {text}")
    return None


def _fast(path: Path, max_bytes: int) -> Iterator[Record]:
    with path.open("rb") as file:
        yield from _records(ArchiveIterator(file, record_types=_KINDS, parse_http=False), max_bytes)


def _records(archive: ArchiveIterator, max_bytes: int) -> Iterator[Record]:
    for record in archive:
        yield _from_fast(record, max_bytes)


def _from_fast(record: WarcRecord, max_bytes: int) -> Record:
    kind = str(record.record_type)
    get = record.headers.get
    block = record.reader.read(max_bytes + _HEAD)
    missing = _missing(get("Content-Length"), block, max_bytes)
    return _record(
        get("WARC-Target-URI") or "", kind, record.record_id or "", get("Content-Type") or "",
        get("WARC-Truncated") or "", block, missing, max_bytes,
    )  # fmt: skip


def _missing(length: str | None, block: bytes, max_bytes: int) -> int:
    """Bytes that a block lacks; at least one where the file ended before the record's length."""
    if length is None or not length.strip().isdigit():
        return 1
    return 0 if len(block) >= max_bytes + _HEAD else max(0, int(length) - len(block))


_HEAD = 64 << 10  # room for the HTTP header lines before the body


def _record(
    url: str,
    kind: str,
    name: str,
    warc_type: str,
    truncated: str,
    block: bytes,
    missing: int,
    max_bytes: int,
) -> Record:
    """A record from its block (RFC 9112 section 2.1 for the HTTP message inside)."""
    status, headers, body = 200, {"content-type": warc_type}, block
    if kind in ("response", "revisit") and block.startswith(b"HTTP/"):
        head, _, body = block.partition(b"\r\n\r\n")
        if not body and b"\r\n\r\n" not in block:
            head, _, body = block.partition(b"\n\n")
        lines = head.decode("latin-1").splitlines()
        word = ([*lines[0].split(None, 2), "", ""])[1]
        status = int(word) if word.isdigit() else 0
        headers = {}
        for line in lines[1:]:
            key, colon, value = line.partition(":")
            if colon:
                headers.setdefault(key.strip().lower(), value.strip())
    length = headers.get("content-length", "")
    coded = "content-encoding" in headers or "transfer-encoding" in headers
    if (
        kind == "response"
        and status == 200
        and length.isdigit()
        and not (coded or truncated or missing)
    ):
        missing = max(0, int(length) - len(body))
    oversize = len(body) > max_bytes
    return Record(
        url.strip("<>"), kind, name, status, headers, body[:max_bytes], truncated, 0 if oversize else missing, oversize
    )  # fmt: skip


def _slow(path: Path, max_bytes: int) -> Iterator[Record]:
    with path.open("rb") as file:
        for record in SlowIterator(file, no_record_parse=True, arc2warc=True):
            if record.rec_type not in ("response", "resource", "revisit"):
                continue
            get = record.rec_headers.get_header
            block = record.raw_stream.read(max_bytes + _HEAD)
            missing = _missing(get("Content-Length"), block, max_bytes)
            yield _record(
                get("WARC-Target-URI") or "", record.rec_type, get("WARC-Record-ID") or "",
                get("Content-Type") or "", get("WARC-Truncated") or "", block, missing, max_bytes,
            )  # fmt: skip


def _members(path: Path, max_bytes: int) -> Iterator[Record]:
    """Every gzip member by itself, so that a broken record does not hide the ones after it."""
    bad = 0
    message = ""
    for member in _gzip_members(path):
        try:
            yield from _records(
                ArchiveIterator(io.BytesIO(member), record_types=_KINDS, parse_http=False),
                max_bytes,
            )
        except Exception as error:  # as above
            bad += 1
            message = message or f"{type(error).__name__}: {error}"
    if bad:
        raise ValueError(f"{bad} gzip members unreadable, the first: {message}")


def _gzip_members(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        rest = file.read(_CHUNK)
        while rest:
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            parts: list[bytes] = []
            size = 0
            while rest and not inflate.eof:
                part = inflate.decompress(rest, _CHUNK * 16)
                size += len(part)
                if size > _MAX_MEMBER:
                    raise ValueError(f"gzip member longer than {_MAX_MEMBER} bytes")
                parts.append(part)
                rest = inflate.unconsumed_tail or (b"" if inflate.eof else file.read(_CHUNK))
            if inflate.eof:
                rest = inflate.unused_data or file.read(_CHUNK)
            yield b"".join(parts)
