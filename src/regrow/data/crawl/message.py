"""An HTTP/1.1 answer read from a connection (RFC 9112), as leniently as browsers read it.

http.client takes any informational answer but 100 for the answer itself, so that each later answer
on the connection belongs to the address before it (https://github.com/urllib3/urllib3/pull/3319);
its ceilings of 100 header lines and 64 KiB a line are fixed, and it has no deadline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from regrow.data.crawl.connection import Connection
from regrow.data.web.numbers import decimal

MAX_HEAD_BYTES = 1 << 18
MAX_HEADERS = 1_000
_MAX_INTERIM = 20
_MAX_CHUNK_LINE = 4_096
_STATUS = re.compile(
    rb"HTTP/(\d)\.(\d)[ \t]+(\d{3})(?:[ \t]+(.*))?[ \t]*\Z", re.DOTALL | re.IGNORECASE
)
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\Z", re.DOTALL)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(rb"[\0\r]")


class MessageError(Exception):
    """No HTTP answer, or one that breaks off; the message says which."""


class NoAnswerError(MessageError):
    """The server closed the connection before the first byte of an answer."""


class TooLongError(Exception):
    """The body is longer than the limit."""


@dataclass(frozen=True)
class Head:
    """Status and header lines."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    """as sent, one character per byte (Latin-1)"""
    persistent: bool
    """the connection may serve again after the body"""

    def values(self, name: str) -> list[str]:
        """Values of all header lines of that name."""
        return values(self.headers, name)


def values(headers: tuple[tuple[str, str], ...], name: str) -> list[str]:
    """Values of all header lines of that name, in the order sent, without space at the ends."""
    return [value.strip(" \t") for key, value in headers if key.lower() == name.lower()]


def read_head(connection: Connection) -> Head:
    """Status line and headers; informational answers (1xx) before them are read over.

    Raises:
        MessageError: not HTTP, too many or too long headers, or the connection was closed.
        OSError: broken, or the deadline is over (TimeoutError).
    """
    for _ in range(_MAX_INTERIM):
        head = _head(connection)
        if head.status == 101:
            raise MessageError("101 although no other protocol was asked for")
        if head.status >= 200:
            return head
    raise MessageError(f"more than {_MAX_INTERIM} informational answers")


def read_body(connection: Connection, head: Head, max_bytes: int) -> tuple[bytes, bool]:
    """The body, transfer coding undone, and whether it ended where the next answer can begin.

    Raises:
        TooLongError: more than `max_bytes`.
        MessageError: it breaks off, or a chunk has no size.
        OSError: broken, or the deadline is over (TimeoutError).
    """
    if head.status in (204, 304):
        return b"", True
    coding = ",".join(head.values("Transfer-Encoding")).lower().rpartition(",")[2].strip()
    lengths = content_lengths(head)
    framed = len(set(lengths)) == 1 and coding in ("", "identity")
    if coding == "chunked":
        parts, framed = _chunks(connection), not lengths
    elif lengths and coding in ("", "identity"):
        parts = _exactly(connection, lengths[0])
    else:
        parts = _until_closed(connection)
    found, total = [], 0
    for part in parts:
        total += len(part)
        if total > max_bytes:
            raise TooLongError
        found.append(part)
    return b"".join(found), framed


def content_lengths(head: Head) -> list[int]:
    """Every Content-Length that is a number, in bytes; the first counts (section 6.3)."""
    words = ",".join(head.values("Content-Length")).split(",")
    return [number for word in words if (number := decimal(word, 1 << 62)) is not None]


def _head(connection: Connection) -> Head:
    lines = _head_lines(connection)
    found = _STATUS.match(lines[0])
    if found is None:
        raise MessageError("no HTTP status line")
    headers = tuple(_headers(lines[1:]))
    connections = ",".join(values(headers, "Connection")).lower()
    modern = (found[1], found[2]) >= (b"1", b"1")
    persistent = "close" not in connections and (modern or "keep-alive" in connections)
    reason = _UNSAFE.sub(b" ", found[4] or b"").strip().decode("latin-1")
    return Head(int(found[3]), reason, headers, persistent)


def _head_lines(connection: Connection) -> list[bytes]:
    """Lines up to the blank one; blank lines before the first are skipped (section 2.2)."""
    lines: list[bytes] = []
    room = MAX_HEAD_BYTES
    while True:
        try:
            line = connection.line(room)
        except ValueError:
            raise MessageError(f"headers longer than {MAX_HEAD_BYTES} bytes") from None
        if line is None:
            if not lines and room == MAX_HEAD_BYTES:
                raise NoAnswerError("closed before an answer")
            raise MessageError("closed inside the headers")
        room -= len(line) + 1
        if line:
            lines.append(line)
        elif lines:
            return lines
        if room < 0:
            raise MessageError(f"headers longer than {MAX_HEAD_BYTES} bytes")
        if len(lines) > MAX_HEADERS + 1:
            raise MessageError(f"more than {MAX_HEADERS} header lines")


def _headers(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    """Name and value of each line; a folded line belongs to the one before; junk is left out."""
    folded: list[bytes] = []
    for line in lines:
        if line[:1] in b" \t" and folded:
            folded[-1] += b" " + line.strip(b" \t")
        else:
            folded.append(line)
    for line in folded:
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _NAME.fullmatch(name):
            yield name.decode("ascii"), _UNSAFE.sub(b" ", value.lstrip(b" \t")).decode("latin-1")


def _exactly(connection: Connection, length: int) -> Iterator[bytes]:
    while length:
        part = connection.piece(length)
        if not part:
            raise MessageError(f"closed {length} bytes before the end of the body")
        length -= len(part)
        yield part


def _until_closed(connection: Connection) -> Iterator[bytes]:
    while part := connection.piece(1 << 16):
        yield part


def _chunks(connection: Connection) -> Iterator[bytes]:
    """Chunked transfer coding (section 7.1), trailers read over."""
    while True:
        found = _CHUNK.match(_chunk_line(connection))
        if found is None:
            raise MessageError("a chunk without a size")
        size = int(found[1], 16)
        if size == 0:
            break
        yield from _exactly(connection, size)
        if _chunk_line(connection):
            raise MessageError("a chunk longer than its size")
    room = MAX_HEAD_BYTES
    while line := _chunk_line(connection, room):
        room -= len(line) + 1


def _chunk_line(connection: Connection, limit: int = _MAX_CHUNK_LINE) -> bytes:
    try:
        line = connection.line(limit)
    except ValueError:
        raise MessageError("a chunk's size or trailer without an end") from None
    if line is None:
        raise MessageError("closed inside a chunked body")
    return line
