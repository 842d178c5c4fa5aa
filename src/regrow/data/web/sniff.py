"""What a body begins with: markup, text or bytes that no text has (WHATWG MIME Sniffing)."""

from __future__ import annotations

import re

_CONTROLS = bytes([*range(0x00, 0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])
"""the standard's binary data bytes; escape (1B) is not one: ISO-2022-JP needs it"""
_HEAD = 1_445
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:!--|!doctype[\t\n\f\r ]+html|(?:html|head|body|title|meta|link|script|style"
    rb"|iframe|h[1-6]|div|font|table|a|b|br|p)(?=[\t\n\f\r />]))",
    re.IGNORECASE,
)
_XML = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:\?xml[\t\n\f\r ]|!doctype[\t\n\f\r ])", re.IGNORECASE
)
_BEFORE_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[\t\n\f\r ]+|<!--.*?-->|<\?.*?\?>|<!doctype(?:[^\[>]++|\[[^\]]*+\])*+>)*+<(?:[\w.-]{1,32}:)?html"
    rb"(?=[\t\n\f\r />])",
    re.IGNORECASE | re.DOTALL,
)
_MAGIC = (
    b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd",
    b"RIFF", b"OggS\0", b"\x1aE\xdf\xa3", b"ID3", b"BM", b"\0\0\1\0", b"wOFF", b"wOF2", b"OTTO", b"\0\1\0\0", b"ttcf",
    b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"BZh", b"\xfd7zXZ\0", b"\x7fELF", b"%!PS-Adobe-", b"\0asm", b"MZ\x90\0",
)  # fmt: skip


def has_controls(body: bytes) -> bool:
    """Does the start hold a byte that no text has (section 3)? UTF-16 with a mark does not count."""
    head = body[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return len(head.translate(None, _CONTROLS)) < len(head)


def mostly_controls(body: bytes) -> bool:
    """More than 1 in 50 bytes, and more than two, that no text has: a file that was called text.

    One stray NUL or vertical tab makes no page binary; browsers show such pages.
    """
    if has_controls(body) and body.startswith(_MAGIC):
        return True
    strays = len(body) - len(body.translate(None, _CONTROLS))
    return strays > 2 and strays * 50 > len(body)


def is_text(body: bytes) -> bool:
    """Does a body read as text from the start, and so is not compressed?"""
    return begins_as_markup(body) or not has_controls(body)


def begins_as_markup(body: bytes) -> bool:
    """Begins as HTML or XML (section 7.1, and further tags that pages begin with)."""
    return _MARKUP.match(body) is not None or _XML.match(body) is not None


def is_html(body: bytes) -> bool:
    """Begins as HTML, or is XML whose root element is html."""
    return _MARKUP.match(body) is not None or has_html_root(body)


def has_html_root(body: bytes) -> bool:
    """Is `html` the first element, behind a declaration, comments and instructions?"""
    return _BEFORE_ROOT.match(body[:65_536]) is not None
