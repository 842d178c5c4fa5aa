"""Remove lines that are no prose, and documents that lose too many words by it.

Source: RefinedWeb (arXiv 2306.01116, appendix G.2) with OLMo 3's settings (appendix A.2.1,
filter 7): lines that are mostly capitals, only digits, a counter ("12k likes") or too short
go; "items in cart", "Read more..." and "Sign-in" are cut out of lines of at most ten words.
Blank lines stay, for they part paragraphs. The cutting comes before the judging, so that a second run
finds nothing more to do.
"""

from __future__ import annotations

import re
from dataclasses import replace

from regrow.filters import words
from regrow.filters.document import Document, Drop
from regrow.params.data import Filter

_COUNTER = re.compile(
    r"\W*\d[\d,.]*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes"
    r"|downvotes|downloads|views|followers)\W*",
    re.IGNORECASE,
)
_CUTS = (
    re.compile(r"\s?items in cart\s?"),
    re.compile(r"^(?:Sign-in\s?)+"),
    re.compile(r"(?:\s?Read more\.\.\.)+$"),
)
_HINTS = ("items in cart", "Sign-in", "Read more...")
_CUT_WORDS = 10


def clean(document: Document, params: Filter) -> Document | Drop:
    """The document without such lines, or a drop if more than the allowed share of words went."""
    lines = (cut(line) for line in document.text.split("\n"))
    kept = "\n".join(line for line in lines if line is not None and not junk(line, params))
    if kept == document.text:
        return document
    before, after = document.word_count, words.count(kept)
    removed = (before - after) / max(before, 1)
    if removed > params.max_removed_words:
        return Drop("lines.removed_words", removed, params.max_removed_words)
    if not kept.strip():
        return Drop("empty", 0.0)
    return replace(document, text=kept)


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


def junk(line: str, params: Filter) -> bool:
    """Whether a line is mostly capitals, digits, a counter, or has too few words."""
    if not line.strip():
        return False
    capitals = sum(map(str.isupper, line))
    if capitals > params.max_uppercase_line * len(line):
        return True
    digits = sum(map(str.isdecimal, line))
    if digits > params.max_numeric_line * len(line):
        return True
    if params.min_line_words and words.count(line) < params.min_line_words:
        return True
    return _COUNTER.fullmatch(line) is not None
