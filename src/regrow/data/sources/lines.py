"""Lines of a stream of bytes, of which none is held that is longer than allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from regrow.data.sources.opening import HEAD_BYTES, BrokenError


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end."""

    number: int
    """from 1"""
    content: bytes
    """all of it, or its first `HEAD_BYTES` where it is too long"""
    size: int
    """bytes that it has"""
    whole: bool = True
    """not longer than allowed"""


class _Growing:
    """The line that is being read."""

    def __init__(self, limit: int) -> None:
        self._limit, self._parts = limit, list[bytes]()
        self.size = 0

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if self.size > self._limit:
            self._parts = [b"".join([*self._parts, part[:HEAD_BYTES]])[:HEAD_BYTES]]
        else:
            self._parts.append(part)

    def head(self) -> bytes:
        return b"".join(self._parts)[:HEAD_BYTES]

    def line(self, number: int) -> Line:
        content = b"".join(self._parts)
        if self.size > self._limit:
            return Line(number, content, self.size, whole=False)
        content = content.removesuffix(b"\r")
        return Line(number, content, len(content))


def lines(stream: Iterable[bytes], limit: int) -> Iterator[Line]:
    """The lines of a stream, which end with LF, or CR and LF.

    Holds at most `limit` bytes of a line and one chunk of the stream: a longer line is read to its end and comes
    as its beginning.

    Raises:
        BrokenError: of the stream, with the beginning of the line that it cut.
    """
    growing, number = _Growing(limit), 1
    try:
        for chunk in stream:
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                growing.add(part)
                yield growing.line(number)
                growing, number = _Growing(limit), number + 1
            growing.add(rest)
    except BrokenError as error:
        error.rest, error.place = growing.head(), f"line {number}"
        raise
    if growing.size:
        yield growing.line(number)
