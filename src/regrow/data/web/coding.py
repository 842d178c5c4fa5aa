"""Transfer and content codings of an HTTP answer undone, within a limit of size."""

from __future__ import annotations

import zlib

from regrow.data.web import sniff
from regrow.data.web.chunked import dechunked
from regrow.data.web.errors import CodingError, CutShortError, TooLargeError

__all__ = ["CodingError", "CutShortError", "TooLargeError", "decoded"]

_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PIECE = 4_096
_EXTRA, _NAME, _COMMENT, _CHECK = 4, 8, 16, 2


def decoded(body: bytes, headers: dict[str, str], max_bytes: int) -> bytes:
    """Undo Transfer-Encoding and Content-Encoding (RFC 9112 section 7.1, RFC 9110 section 8.4.1).

    The body decides. Archives keep these headers although they store the plain body, and servers
    name codings that are none (`utf-8`, `none`) or another one (`deflate` over gzip). So gzip and
    zlib are undone where their first bytes are there, whichever of the two is named; a body that
    reads as text is taken as it is; checksums are not compared, as browsers do not compare them.

    Raises:
        CutShortError: a chunked body that ends inside a chunk (a kind of CodingError).
        CodingError: a coding that is not known here (`br`, `zstd`, `compress`), or broken data.
        TooLargeError: more than `max_bytes` after decoding (a bomb, or a huge page).
    """
    transfer = _tokens(headers.get("transfer-encoding", ""))
    if "chunked" in transfer:
        body = dechunked(body)
    for coding in [*reversed(_tokens(headers.get("content-encoding", ""))), *reversed(transfer)]:
        if coding in _CODINGS:
            body = _undone(body, coding, max_bytes)
    return body


_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})


def _tokens(value: str) -> list[str]:
    return [token.strip(" \t").lower() for token in value.split(",") if token.strip(" \t")]


def _undone(body: bytes, coding: str, max_bytes: int) -> bytes:
    """One coding less; the body itself where it is not coded."""
    if body.startswith(_GZIP):
        return _gunzipped(body, max_bytes)
    if body.startswith(_ZSTD):
        raise CodingError("content coding zstd")
    try:
        if _is_zlib(body):
            return _inflated(body, 0, zlib.MAX_WBITS, max_bytes)[0]
        if coding == "deflate":  # many servers leave the zlib frame out
            return _inflated(body, 0, -zlib.MAX_WBITS, max_bytes)[0]
    except CodingError:
        if not sniff.is_text(body):
            raise
        return body
    if coding in ("gzip", "x-gzip") or sniff.is_text(body):
        return body  # plain; if it is binary, whoever asks for its kind sees that
    raise CodingError(f"content coding {coding}")


def _is_zlib(body: bytes) -> bool:
    """RFC 1950, section 2.2: method, window and check bits."""
    return len(body) > 1 and body[0] & 0x8F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _gunzipped(body: bytes, max_bytes: int) -> bytes:
    """All members of a gzip body (RFC 1952, section 2.2); what follows the last is no content."""
    parts: list[bytes] = []
    left, position = max_bytes, 0
    while body.startswith(_GZIP, position):
        start = _after_header(body, position)
        if start is None and parts:
            break
        part, position = _inflated(
            body, len(body) if start is None else start, -zlib.MAX_WBITS, left
        )
        left -= len(part)
        parts.append(part)
        position += 8  # checksum and length
    return b"".join(parts)


def _after_header(body: bytes, position: int) -> int | None:
    """Where the data of the gzip member at `position` begin; None where its header is cut off."""
    flags = body[position + 3] if len(body) > position + 3 else 0
    place = position + 10
    if flags & _EXTRA:
        place += 2 + int.from_bytes(body[place : place + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = body.find(b"\0", place)
            if end < 0:
                return None
            place = end + 1
    place += 2 if flags & _CHECK else 0
    return place if place < len(body) else None


def _inflated(body: bytes, start: int, bits: int, max_bytes: int) -> tuple[bytes, int]:
    """The deflated data from `start` on, and the position behind them.

    In pieces that grow, so that a body of many small members costs no copy of the rest for each.
    """
    inflate = zlib.decompressobj(bits)
    parts: list[bytes] = []
    left, position, piece = max_bytes, start, _PIECE
    while not inflate.eof:
        data = inflate.unconsumed_tail
        if not data:
            data = body[position : position + piece]
            position += len(data)
            piece = min(piece * 2, 1 << 20)
        if not data:
            raise CodingError("compressed data ends early")
        try:
            part = inflate.decompress(data, left + 1)
        except zlib.error as error:
            raise CodingError(str(error)) from None
        left -= len(part)
        if left < 0:
            raise TooLargeError
        parts.append(part)
    return b"".join(parts), position - len(inflate.unused_data)
