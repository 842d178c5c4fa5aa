"""The start tags of an HTML page in one pass (HTML standard, section 13.2.5).

What a crawler needs of a page are tags and their attributes, not its tree. libxml2 and lexbor
build the tree in a time that is the square of its depth or of a tag's attributes, and libxml2
drops what is nested more than 2,048 deep; this reader is linear in the length of any page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5

_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(r"[\s/]*(=?[^\s/>=]*)(\s*=\s*)?")
_UNQUOTED = re.compile(r"[^\s>]*")
# The rest of a tag whose attributes are written as they should be. The quantifiers are possessive:
# where it does not match, it says so in linear time.
_SIMPLE = re.compile(
    r"""(?:[\s/]++[^\s/>="']++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']++))?+)*+[\s/]*+>"""
)
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9A-Fa-f]+;?|[A-Za-z][A-Za-z0-9]*;?)")
# Their content is text. The parts of a page for a browser without frames are read, as we are one.
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe"})
_FOREIGN = frozenset({"svg", "math"})


@dataclass(frozen=True)
class Tag:
    """A start tag."""

    name: str
    """lower case"""
    attributes: dict[str, str]
    """by name in lower case, character references decoded; of two of one name the first"""


def start_tags(page: str, xml: bool = False, wanted: frozenset[str] | None = None) -> Iterator[Tag]:
    """Start tags in the order of the page, without those in comments, scripts and other raw text.

    `xml`: the page was sent as XHTML, where `<script/>` and `<title/>` are empty elements.
    `wanted`: names of the tags to yield; the attributes of others are skipped where that is simple.
    """
    read = None if wanted is None else wanted | _RAW | _FOREIGN
    position = 0
    foreign = 0
    endless: set[str] = set()
    while (position := page.find("<", position)) >= 0:
        after = page[position + 1 : position + 2]
        if after == "!":
            position = _declaration_end(page, position, xml or foreign > 0)
            continue
        if after == "?":
            position = _after(page, ">", position)
            continue
        closing = after == "/"
        name = _NAME.match(page, position + 1 + closing)
        if name is None:
            position = _after(page, ">", position) if closing else position + 1
            continue
        word = name[0].lower()
        if (
            read is not None
            and (closing or word not in read)
            and not (closing and word in _FOREIGN)
            and (simple := _SIMPLE.match(page, name.end()))
        ):
            position = simple.end()
            continue
        attributes: dict[str, str] = {}
        position, empty = _attributes(page, name.end(), attributes)
        if position < 0:
            return  # the page ends inside a tag, which is none then
        if closing:
            foreign -= word in _FOREIGN and foreign > 0
            continue
        if wanted is None or word in wanted:
            yield Tag(word, attributes)
        if word in _FOREIGN:
            foreign += not empty
        elif word in _RAW and not (empty and (xml or foreign)) and word not in endless:
            if foreign and word in ("title", "iframe"):
                continue  # elements of SVG with children
            end = _RAW_ENDS[word].search(page, position)
            if end is None:
                endless.add(word)  # never closed: its content is read rather than all be lost
            else:
                position = end.start()


_RAW_ENDS = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE | re.ASCII) for name in sorted(_RAW)
}


def _declaration_end(page: str, position: int, cdata: bool) -> int:
    """Where a comment, a document type or a CDATA section ends."""
    if page.startswith("<!--", position):
        found = _COMMENT_END.search(page, position + 2)
        return found.end() if found else len(page)
    if cdata and page.startswith("<![CDATA[", position):
        return _after(page, "]]>", position)
    return _after(page, ">", position)


def _after(page: str, end: str, position: int) -> int:
    found = page.find(end, position)
    return len(page) if found < 0 else found + len(end)


def _attributes(page: str, position: int, into: dict[str, str]) -> tuple[int, bool]:
    """Read attributes up to the end of the tag: (position behind it or -1, whether it ends in />)."""
    if page.startswith(">", position):
        return position + 1, False
    while True:
        found = _ATTRIBUTE.match(page, position)
        assert found is not None  # it matches the empty string
        name, equals = found[1], found[2]
        position = found.end()
        if not name and not equals:
            if page[position : position + 1] != ">":
                return -1, False
            return position + 1, page[position - 1] == "/"
        value = ""
        if equals:
            quote = page[position : position + 1]
            if quote in ('"', "'"):
                end = page.find(quote, position + 1)
                if not quote or end < 0:
                    return -1, False
                value, position = page[position + 1 : end], end + 1
            else:
                plain = _UNQUOTED.match(page, position)
                assert plain is not None
                value, position = plain[0], plain.end()
        into.setdefault(name.lower(), unescaped(value))


def unescaped(value: str) -> str:
    """An attribute's value with its character references decoded (section 13.2.5.73).

    `&copy=2` stays as it is: without a semicolon a reference must not stand before `=` or a letter.
    """
    if "&" not in value:
        return value
    return _REFERENCE.sub(lambda found: _character(found, value), value)


def _character(found: re.Match[str], value: str) -> str:
    text = found[0]
    if text[1] == "#":
        mark = "x" if text[2] in "xX" else ""
        digits = text[2:].strip("xX;").lstrip("0")
        # No character has so large a number; int() refuses thousands of digits.
        return html.unescape(f"&#{mark}{digits or 0};") if len(digits) < 9 else "\ufffd"
    if text.endswith(";"):
        return html5.get(text[1:], text)
    return text if value[found.end() : found.end() + 1] == "=" else html5.get(text[1:], text)
