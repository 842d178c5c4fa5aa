"""Remove lines that are no prose, and documents that lose too many words by it.

Source: RefinedWeb (arXiv 2306.01116, appendix G.2) with OLMo 3's settings (appendix A.2.1,
filter 7): lines that are mostly capitals, only digits, a counter ("12k likes") or too short
go; "items in cart", "Read more..." and "Sign-in" are cut out of lines of at most ten words.
Blank lines stay, for they part paragraphs. The cutting comes before the judging, so that a second run
finds nothing more to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from regrow.data.filters import words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_NAMES = (
    "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes", "downvotes",
    "downloads", "views", "followers",
)  # fmt: skip
_COUNTED = re.compile(rf"\s(?:{'|'.join(_NAMES)})", re.IGNORECASE)
_COUNTER = re.compile(rf"\W*\d[\d,.]*[kmb]?\s+(?:{'|'.join(_NAMES)})\W*", re.IGNORECASE)
_CUTS = (
    re.compile(r"\s?items in cart\s?"),
    re.compile(r"^(?:Sign-in\s?)+"),
    re.compile(r"(?:\s?Read more\.\.\.)+$"),
)
_HINTS = ("items in cart", "Sign-in", "Read more...")
_CUT_WORDS = 10
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"


def clean(document: Document, params: Filter) -> Document | Drop:
    """The document without such lines, or a drop if more than the allowed share of words went."""
    kept: list[str] = []
    removed = 0  # words
    hinted = any(hint in document.text for hint in _HINTS)
    counted = may_count(document.text)
    for line in document.text.split("\n"):
        shorter = cut(line) if hinted else line
        if shorter is None or junk(shorter, params, counted):
            removed += words.count(line)
            continue
        if shorter is not line:
            removed += words.count(line) - words.count(shorter)
        kept.append(shorter)
    text = "\n".join(kept)
    if text == document.text:
        return document
    share = removed / max(document.word_count, 1)
    if share > params.max_removed_words:
        return Drop("lines.removed_words", share, params.max_removed_words)
    if not text.strip():
        return Drop("empty", 0.0)
    return replace(document, text=text)


def may_count(text: str) -> bool:
    """Whether a text may hold a counter; False is certain."""
    if not text.isascii():  # where cases fold otherwise than in ASCII, each line is looked at
        return _COUNTED.search(text) is not None
    lower = text.lower()
    return any(name in lower for name in _NAMES)


def cut(line: str) -> str | None:
    """The line without phrases of page furniture; None if nothing else was in it."""
    if not any(hint in line for hint in _HINTS) or words.count(line) > _CUT_WORDS:
        return line
    while True:
        shorter = line
        for pattern in _CUTS:
            shorter = pattern.sub(" " if pattern is _CUTS[0] else "", shorter)
        if not shorter.strip():
            return None
        if shorter == line:
            return line
        line = shorter


def junk(line: str, params: Filter, counted: bool = True) -> bool:
    """Whether a line is mostly capitals, digits, a counter (unless not `counted`), or has too few words."""
    if not line or line.isspace():
        return False
    if many(line, _CAPITALS, str.isupper, params.max_uppercase_line):
        return True
    if many(line, _DIGITS, str.isdecimal, params.max_numeric_line):
        return True
    if words.fewer(line, params.min_line_words):
        return True
    return counted and _COUNTER.fullmatch(line) is not None


def many(line: str, ascii_: bytes, kind: Callable[[str], bool], share: float) -> bool:
    """Whether more than this share of a line's characters are of a kind (`ascii_`: those in ASCII)."""
    size = len(line)
    if share >= 1 or (size - 1 <= share * size and not kind(line[0])):
        return False
    if line.isascii():
        found = size - len(line.encode("ascii").translate(None, ascii_))
    else:
        found = sum(map(kind, line))
    return found > share * size
