"""Read WARC files of any origin: fastwarc first, where it stumbles warcio, last member by member.

Each reader fails on files that another one reads (wrong lengths, one gzip member for the whole
file, ARC). Reading each gzip member by itself finds the records after a broken one. What no reader
reads is reported and skipped; nothing here raises.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from warcio.archiveiterator import ArchiveIterator as SlowIterator

from regrow.data.text.record import HEAD, KINDS, Head, Record, record

__all__ = ["Record", "Trouble", "read"]

_TYPES = (
    WarcRecordType.response | WarcRecordType.resource | WarcRecordType.revisit | WarcRecordType.conversion
    | WarcRecordType.continuation
)  # fmt: skip
_MAX_MEMBER = 256 << 20
_CHUNK = 1 << 16


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
    """Pages of a WARC file in order, each once, with bodies cut at `max_bytes`; then the troubles.

    Two records with one id are two pages if their bytes differ; if they do not, they are two as well
    where one reader finds both. What no reader reads to its end comes last, as a short record.
    """
    found = _Found()
    troubles: list[Trouble] = []
    for name, source in (("fastwarc", _fast), ("warcio", _slow), ("members", _members)):
        before = found.whole.total()
        trouble = yield from _attempt(path, max_bytes, found, name, source)
        new = found.whole.total() > before
        if troubles and (trouble is None or new or trouble.after > troubles[-1].after):
            troubles[-1] = dataclasses.replace(troubles[-1], fatal=False)
        if trouble is None:
            break
        troubles.append(trouble)
    yield from found.short()
    yield from troubles


_Source = Callable[[Path, int], Iterator[tuple[Record, bytes]]]


class _ShortRecordError(Exception):
    """The file ends inside a record."""


@dataclass
class _Found:
    """What the readers of a file have found so far."""

    whole: Counter[bytes] = field(default_factory=Counter)
    """digest of a record -> how often it came"""
    names: set[str] = field(default_factory=set)
    cut: dict[str, Record] = field(default_factory=dict)

    def new(self, one: Record, digest: bytes, times: int) -> Record | None:
        """The record if no reader gave it before; `times`: how often this reader did, now included."""
        if times <= self.whole[digest]:
            return None
        self.whole[digest] = times
        return self.named(one)

    def named(self, one: Record) -> Record:
        again = bool(one.record_id) and one.record_id in self.names
        self.names.add(one.record_id or one.url)
        return dataclasses.replace(one, repeated=True) if again else one

    def short(self) -> Iterator[Record]:
        """Records of which every reader got a part only."""
        for name, one in self.cut.items():
            if name not in self.names:
                yield self.named(one)


def _attempt(
    path: Path, max_bytes: int, found: _Found, name: str, source: _Source
) -> Generator[Record, None, Trouble | None]:
    """Yield records that are new; return the trouble that ended it, None at a clean end."""
    own: Counter[bytes] = Counter()
    count = 0
    try:
        for one, digest in source(path, max_bytes):
            if not one.framed:
                found.cut.setdefault(one.record_id or one.url, _beginning(one))
            elif (new := found.new(one, digest, own[digest] + 1)) is not None:
                yield new
            if name == "fastwarc" and one.short:  # perhaps because it took a wrong length for right
                raise _ShortRecordError(f"{one.url} lacks {one.short} bytes")
            own[digest] += 1
            count += 1
    except Exception as error:  # parsers raise whatever they raise
        text = " ".join(str(error).replace(str(path), path.name).split())[:200]
        return Trouble(path.name, name, count, f"{type(error).__name__}: {text}")
    return None


def _beginning(one: Record) -> Record:
    """A record to remember: enough of its body to name it by."""
    return dataclasses.replace(one, body=one.body[:1_024])


def _made(head: Head, block: bytes, max_bytes: int) -> tuple[Record, bytes]:
    """A record and the digest of its block, by which one reader's records are known to the next.

    Not by their ids: those repeat, and readers decode broken headers differently.
    """
    return record(head, block, max_bytes), hashlib.blake2b(block, digest_size=16).digest()


def _fast(path: Path, max_bytes: int) -> Iterator[tuple[Record, bytes]]:
    with path.open("rb") as file:
        yield from _records(ArchiveIterator(file, record_types=_TYPES, parse_http=False), max_bytes)


def _records(archive: ArchiveIterator, max_bytes: int) -> Iterator[tuple[Record, bytes]]:
    for one in archive:
        yield _from_fast(one, max_bytes)


def _from_fast(one: WarcRecord, max_bytes: int) -> tuple[Record, bytes]:
    get = one.headers.get
    head = Head(
        str(one.record_type), get("WARC-Target-URI"), one.record_id, get("Content-Type"), get("Content-Length"),
        get("WARC-Truncated"), get("WARC-Segment-Number"), get("Regrow-Role"),
    )  # fmt: skip
    return _made(head, one.reader.read(max_bytes + HEAD), max_bytes)


def _slow(path: Path, max_bytes: int) -> Iterator[tuple[Record, bytes]]:
    with path.open("rb") as file:
        for one in SlowIterator(file, no_record_parse=True, arc2warc=True):
            if one.rec_type not in KINDS:
                continue
            get = one.rec_headers.get_header
            head = Head(
                one.rec_type, get("WARC-Target-URI"), get("WARC-Record-ID"), get("Content-Type"), get("Content-Length"),
                get("WARC-Truncated"), get("WARC-Segment-Number"), get("Regrow-Role"),
            )  # fmt: skip
            yield _made(head, one.raw_stream.read(max_bytes + HEAD), max_bytes)


def _members(path: Path, max_bytes: int) -> Iterator[tuple[Record, bytes]]:
    """Every gzip member by itself, so that a broken record does not hide the ones after it."""
    bad = 0
    message = ""
    for member in _gzip_members(path):
        try:
            yield from _records(
                ArchiveIterator(io.BytesIO(member), record_types=_TYPES, parse_http=False),
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
