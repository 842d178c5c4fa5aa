"""Bytes of a file to text: `regrow.data.web.charset` decides the charset, as for pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from regrow.data.sources.item import Refused
from regrow.data.sources.opening import HEAD_BYTES
from regrow.data.text.payload import kind_of
from regrow.data.web import charset

MAX_INVALID = 0.01
"""share of characters that may be invalid in the charset and are removed; as `text.max_invalid` by default"""
SURROGATES = re.compile("[\ud800-\udfff]")
"""halves of characters, which JSON and file names can hold and UTF-8 cannot"""


@dataclass(frozen=True)
class Decoded:
    """Text that UTF-8 can hold."""

    text: str
    charset: str
    repaired: int


def decoded(body: bytes, place: str, name: str = "") -> Decoded | Refused:
    """The text of a file, or why it has none: `empty`, `not_text` or `bad_charset`."""
    head = body[:HEAD_BYTES]
    if not body.strip():
        return Refused(head, "empty", "no character but white space", place, name)
    if kind_of(body, "text/plain") != "plain":
        return Refused(head, "not_text", "bytes that no text has", place, name)
    found = charset.decode(body, "text/plain", MAX_INVALID)
    if found is None:
        detail = "no charset fits the bytes"
        return Refused(head, "bad_charset", detail, place, name, threshold=MAX_INVALID)
    text, lost = SURROGATES.subn("", found.text)
    if not text.strip():
        return Refused(head, "empty", "no character but white space", place, name)
    return Decoded(text, found.charset, found.invalid + lost)


def clean(text: str) -> str:
    """A name, address or title that a table can hold: halves of characters become question marks."""
    return SURROGATES.sub("?", text)
