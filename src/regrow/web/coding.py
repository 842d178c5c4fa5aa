"""Transfer and content codings of an HTTP answer undone, within a limit of size."""

from __future__ import annotations

import re
import zlib

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,256}\r\n")


class CodingError(Exception):
    """A transfer or content coding that cannot be undone; the message says which."""


class TooLargeError(Exception):
    """The decoded body is longer than the limit."""


def decoded(body: bytes, headers: dict[str, str], max_bytes: int) -> bytes:
    """Undo Transfer-Encoding and Content-Encoding (RFC 9112 section 7.1, RFC 9110 section 8.4.1).

    Archives often keep these headers although they store the plain body; so a body that does not
    look coded is taken as it is.

    Raises:
        CodingError: a coding that is unknown, or broken data.
        TooLargeError: more than `max_bytes` after decoding (a bomb, or a huge page).
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _dechunked(body)
    codings = [c.strip().lower() for c in headers.get("content-encoding", "").split(",")]
    for coding in reversed([c for c in codings if c and c != "identity"]):
        if coding in ("gzip", "x-gzip"):
            if body.startswith(b"\x1f\x8b"):
                body = _inflated(body, zlib.MAX_WBITS | 16, max_bytes)
        elif coding == "deflate":
            wrapped = body[:1] == b"\x78"
            body = _inflated(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, max_bytes)
        else:
            raise CodingError(f"content coding {coding}")
    return body


def _dechunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    position = 0
    while match := _CHUNK_SIZE.match(body, position):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[match.end() : match.end() + size])
        position = match.end() + size + 2
    return body if not parts else b"".join(parts)


def _inflated(body: bytes, bits: int, max_bytes: int) -> bytes:
    inflate = zlib.decompressobj(bits)
    try:
        plain = inflate.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise CodingError(str(error)) from None
    if len(plain) > max_bytes:
        raise TooLargeError
    if not inflate.eof:
        raise CodingError("compressed data ends early")
    return plain
