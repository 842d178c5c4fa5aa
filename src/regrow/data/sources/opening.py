"""The bytes of a file, unpacked on the way and never held.

gzip (RFC 1952, members one after another, zeros behind them), Zstandard (RFC 8878, frames one after another; a
dictionary in a first skippable frame, as web archives have it: IIPC, "WARC-Zstd", 2021), bzip2 and xz. A chunk has
at most 8 MiB, however well a file is packed, so that a decompression bomb costs time and no memory.
"""

from __future__ import annotations

import bz2
import errno
import lzma
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

PACKINGS = (".gz", ".zst", ".bz2", ".xz")
"""endings of packed files"""
HEAD_BYTES = 4_096
"""of what is refused, this much names it in the table of drops"""
_CHUNK = 1 << 18
_ZSTD_CHUNK = 1 << 8
"""bytes of Zstandard that are unpacked at once: a block of four bytes stands for up to 128 KiB"""
_WINDOW = 1 << 31
"""largest window of Zstandard, bytes: what `zstd --long=31` writes"""
_XZ_MEMORY = 1 << 30
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_MAX_DICTIONARY = 64 << 20


class BrokenError(Exception):
    """Why a file cannot be read, or no further. What came before it is good."""

    def __init__(self, reason: str, detail: str, rest: bytes = b"", place: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail
        self.rest = rest
        """the beginning of a row that is cut off"""
        self.place = place
        """line of that row: "line 12" """


def packing(name: str) -> str:
    """The ending of `PACKINGS` that a file name has, or "" for a file that is not packed."""
    return next((ending for ending in PACKINGS if name.lower().endswith(ending)), "")


def chunks(path: Path) -> Iterator[bytes]:
    """The content of a file piece by piece, unpacked if its name says that it is packed.

    Raises:
        BrokenError: after the last good piece: `unreadable` (a folder, no permission), `cut_short` (a packed
            file ends too early), `bad_compression` (its bytes are not what its ending says, or damaged).
    """
    with opened(path) as file:
        kind = packing(path.name)
        if not kind:
            yield from _pieces(file, _CHUNK)
        elif kind == ".zst":
            yield from _unpacked(file, kind, _ZSTD_CHUNK, _zstd_members(file))
        else:
            yield from _unpacked(file, kind, _CHUNK, _MEMBERS[kind])


def opened(path: Path) -> BinaryIO:
    """A regular file, to read.

    Raises:
        BrokenError: `unreadable`: it is none, or the system refuses.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
            raise BrokenError("unreadable", "a folder or device, not a file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise BrokenError("unreadable", _said(error)) from None


def _said(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return errno.errorcode.get(number or 0, type(error).__name__)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    try:
        while piece := file.read(size):
            yield piece
    except OSError as error:
        raise BrokenError("unreadable", _said(error)) from None


class _Member(Protocol):
    """One packed stream of those that a file may hold."""

    eof: bool
    unused_data: bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes hold, in bounded pieces."""
        ...


class _Gzip:
    eof, unused_data = False, b""

    def __init__(self) -> None:
        self._one = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._one.eof and (piece := self._one.decompress(data, _CHUNK)):
            yield piece
            data = self._one.unconsumed_tail
        self.eof, self.unused_data = self._one.eof, self._one.unused_data


class _Buffered:
    """bzip2 and xz, whose objects keep what they have not unpacked yet."""

    eof, unused_data = False, b""

    def __init__(self, one: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._one = one

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._one.decompress(data, _CHUNK)
        while not (self._one.eof or self._one.needs_input):
            yield self._one.decompress(b"", _CHUNK)
        self.eof, self.unused_data = self._one.eof, self._one.unused_data


class _Zstd:
    eof, unused_data = False, b""

    def __init__(self, one: zstandard.ZstdDecompressor) -> None:
        self._one = one.decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._one.decompress(data)
        self.eof, self.unused_data = self._one.eof, self._one.unused_data


def _xz() -> _Member:
    return _Buffered(lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


_MEMBERS: dict[str, Callable[[], _Member]] = {
    ".gz": _Gzip,
    ".bz2": lambda: _Buffered(bz2.BZ2Decompressor()),
    ".xz": _xz,
}
_ERRORS = (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, zstandard.ZstdError, MemoryError)  # fmt: skip


def _zstd_members(file: BinaryIO) -> Callable[[], _Member]:
    """Unpacks a frame; with the dictionary at the start of the file, which is read here, if there is one."""
    head = file.read(8)
    size = int.from_bytes(head[4:], "little")
    if head[:4] != _DICTIONARY or size > _MAX_DICTIONARY:
        file.seek(0)
        return lambda: _Zstd(zstandard.ZstdDecompressor(max_window_size=_WINDOW))
    raw = file.read(size)
    try:
        if raw[:4] == zstandard.FRAME_HEADER:
            raw = zstandard.ZstdDecompressor().decompress(raw, max_output_size=_MAX_DICTIONARY)
        words = zstandard.ZstdCompressionDict(raw)
        one = zstandard.ZstdDecompressor(dict_data=words, max_window_size=_WINDOW)
    except _ERRORS:
        raise BrokenError("bad_compression", "zst: the dictionary is damaged") from None
    return lambda: _Zstd(one)


def _unpacked(file: BinaryIO, kind: str, size: int, new: Callable[[], _Member]) -> Iterator[bytes]:
    member: _Member | None = None
    count = 0
    ended = False
    for data in _pieces(file, size):
        while data:
            if member is None:
                data = data.lstrip(b"\0") if ended else data  # padding between members
                if not data:
                    break
                member = new()
            try:
                for piece in member.feed(data):
                    count += len(piece)
                    if piece:
                        yield piece
            except _ERRORS:
                detail = f"{kind[1:]}: damaged after {count} unpacked bytes"
                raise BrokenError("bad_compression", detail) from None
            data = b""
            if member.eof:
                data, member, ended = member.unused_data, None, True
    if member is not None or not ended:
        raise BrokenError("cut_short", f"{kind[1:]}: ends after {count} unpacked bytes")
