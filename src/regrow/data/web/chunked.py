"""Chunked transfer coding (RFC 9112, section 7.1), believed only where the body is written in it."""

from __future__ import annotations

import re

from regrow.data.web import sniff
from regrow.data.web.errors import CutShortError

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
_TRAILERS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*\r?\n)*(?:\r?\n|\Z)")
_LINE_END = re.compile(rb"\r?\n")


def dechunked(body: bytes) -> bytes:
    """The body without its chunks, or as it is where it was stored without them.

    Archives keep the header over a body that they already joined. So the coding is undone only if
    the whole body reads as chunks up to the last one; text that begins with a hexadecimal word is text.

    Raises:
        CutShortError: the body is chunked and ends before the last chunk.
    """
    parts: list[bytes] = []
    position = 0
    while match := _SIZE.match(body, position):
        size = int(match[1], 16)
        end = match.end() + size
        if size == 0:
            whole = _TRAILERS.match(body, match.end()) is not None
            return b"".join(parts) if whole or parts else body
        line_end = _LINE_END.match(body, end)
        if line_end is None:
            if end > len(body) - 2 and (parts or _is_size(match[1], body[match.end() :])):
                raise CutShortError(f"ends {end - len(body)} bytes before the end of a chunk")
            return body
        parts.append(body[match.end() : end])
        position = line_end.end()
    if parts and position + 20 > len(body):
        raise CutShortError("ends before the last chunk")
    return body


def _is_size(digits: bytes, rest: bytes) -> bool:
    """Whether the only size line of a body that is too short for it is one, and not a line of text.

    A page or a file behind it says yes; a word (`beef`, `Dad`) or an empty line behind it (the year
    that a text has as its title) says no.
    """
    if sniff.begins_as_markup(rest) or not sniff.is_text(rest):
        return True
    word = digits.isalpha() or digits not in (digits.lower(), digits.upper())
    return not word and not rest.startswith((b"\r", b"\n"))
