"""Texts as they are compared: what differs in spelling alone is made equal.

Case, ligatures, width and composition (Unicode NFKC), kinds of quotes, characters that nobody sees,
character references, tags, links and emphasis of HTML and Markdown, underscores, and thousands
separators (10,100 and 10100). Nothing that is folded is ever written: documents keep their spelling.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

import numpy as np

from regrow.data.filters import words

APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u02c8\u2018\u2019\u201a\u201b\u2032\u2035\uff07"
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
)
"""Unicode's default ignorable characters (soft hyphen, joiners, directions, variation selectors, tags), and
control characters but for those that part lines and words"""
_ODD = re.compile(f"[{_UNSEEN}]+|[{APOSTROPHES}]")
_EACH_ODD = re.compile(f"[{_UNSEEN}{APOSTROPHES}]")
_ODD_ASCII = re.compile("[`\x00-\x08\x0e-\x1b\x7f]")
_ELEMENT = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)(?:[\s/][^<>]{0,1000})?>|<!--[^<>]{0,1000}-->")
_INLINE_NAMES = """a abbr b bdi bdo big cite code dfn em font i ins kbd mark q s samp small span strike
strong sub sup tt u var wbr"""
_INLINE = frozenset(_INLINE_NAMES.split())
_LINK = re.compile(r"\[([^\[\]]{0,200})\]\([^()\s]{0,1000}\)")
_TARGET = re.compile(r"\]\([^()\s]{0,1000}\)")
_EMPHASIS = re.compile(
    r"\*\*{0,2}(?=[^\W\d])"
)  # so written it is looked for by its first character
_STRUCK = re.compile(r"~~(?=[^\W\d])")
_THOUSANDS = re.compile(
    r"(?<![\d.,'_])\d{1,3}(?:([,'_\u202f\u2009\xa0])\d{3})(?:\1\d{3})*(?![\d'_]|,\d)"
)
_NO_DIGIT = re.compile(r"\D+")
_QUOTE, _RARE, _DIGIT = 1, 2, 4
"""what a character may be: one of the frequent quotes, another one that `_ODD` finds, a digit beyond ASCII"""
_FREQUENT = "`\u2018\u2019"
_MAY_BE_DIGITS = ((0x660, 0x2000), (0xA620, 0xAC00), (0xD800, 0xE000), (0xFF10, 0xFF1A))
"""UTF-16 code units from which to which there are digits; surrogates may be parts of some"""
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_PARTED = tuple(f"{mark}000".encode() for mark in ",'_\u202f\u2009\xa0")


def fold(text: str) -> str:
    """The text without what is mere spelling; lower case, words parted as they were."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _ELEMENT.sub(_parted, text)
    if "](" in text:
        text = _TARGET.sub("]", _LINK.sub(r" \1 ", text))
    if "*" in text:
        text = _EMPHASIS.sub(_unstressed, text)
    if "~~" in text:
        text = _STRUCK.sub(_unstressed, text)
    digits = False
    if not text.isascii():
        kinds = _kinds(text)
        digits = bool(kinds & _DIGIT)
        if kinds & _QUOTE:
            for quote in _FREQUENT:
                text = text.replace(quote, "'")
        if kinds & _RARE:
            text = _ODD.sub(_seen, text)
    elif _ODD_ASCII.search(text):
        text = _ODD.sub(_seen, text)
    if digits or _may_have_thousands(text):
        text = _THOUSANDS.sub(_plain, text)
    if text.isascii():
        text = text.lower()
    else:
        text = _compatible(_compatible(text).casefold())
    return text.replace("_", " ")


def is_odd(one: str) -> bool:
    """Whether a character is one that nobody sees, or an apostrophe."""
    return _EACH_ODD.match(one) is not None


def tokens(text: str) -> list[str]:
    """The words of a text as they are compared (`regrow.data.filters.words` says what a word is)."""
    return words.tokens(fold(text))


@cache
def _character_kinds() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """What each UTF-16 code unit may be."""
    table = np.zeros(1 << 16, np.uint8)
    for first, end in _MAY_BE_DIGITS:
        table[first:end] |= _DIGIT
    table[0xD800:0xE000] |= _RARE
    table[[match.start() for match in _EACH_ODD.finditer("".join(map(chr, range(0xD800))))]] |= (
        _RARE
    )
    table[
        [
            0xE000 + match.start()
            for match in _EACH_ODD.finditer("".join(map(chr, range(0xE000, 1 << 16))))
        ]
    ] |= _RARE
    table[[ord(quote) for quote in _FREQUENT]] = _QUOTE
    return table


def _kinds(text: str) -> int:
    """What the characters of a text may be, all together; to ask is far cheaper than to look for each."""
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    return int(np.bitwise_or.reduce(_character_kinds()[units]))


def _may_have_thousands(text: str) -> bool:
    """Whether a separator stands before three digits of ASCII; False is certain, if the text has no other digits."""
    data = text.encode("utf-8", "surrogatepass").translate(_ZEROS)
    return b"000" in data and any([mark in data for mark in _PARTED])


def _compatible(text: str) -> str:
    """NFKC; most texts are in it, and to ask is cheaper than to do it."""
    return text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)


def _parted(tag: re.Match[str]) -> str:
    return "" if (tag[1] or "").lower() in _INLINE else " "


def _unstressed(stars: re.Match[str]) -> str:
    """Stars inside a word stress a part of it; elsewhere they part words (2*x) or stand at their edge."""
    before = stars.string[stars.start() - 1 : stars.start()]
    return "" if before.isalpha() else stars[0]


def _seen(found: re.Match[str]) -> str:
    return "'" if found[0] in APOSTROPHES else ""


def _plain(number: re.Match[str]) -> str:
    return _NO_DIGIT.sub("", number[0])
