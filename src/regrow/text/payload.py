"""What kind of content the bytes of a page are."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["html", "plain", "pdf", "other"]

_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|p|div|h[1-6]|table)\b", re.IGNORECASE
)
_HTML_TYPES = ("text/html", "application/xhtml+xml")


def kind_of(body: bytes, mime: str) -> Kind:
    """What the body is: by its first bytes where they say it clearly, else by the declared type."""
    if body[:1024].lstrip().startswith(b"%PDF-"):
        return "pdf"
    if mime == "application/pdf":
        return "pdf"
    if is_binary(body):
        return "other"
    if mime in _HTML_TYPES:
        return "html"
    if mime == "text/plain":
        return "plain"
    if not mime or mime == "application/octet-stream":
        return "html" if _HTML.search(body[:1024]) else "plain"
    return "other"


def is_binary(body: bytes) -> bool:
    """Does the start hold control bytes that no text has (WHATWG MIME sniffing, section 3)?"""
    head = body[:1445]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return any(byte in _BINARY for byte in head)


_BINARY = frozenset([*range(0x00, 0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])
