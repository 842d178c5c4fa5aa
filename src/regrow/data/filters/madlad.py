"""Sentences with odd capitals or with traces of machine-made pages.

Source: MADLAD-400 (arXiv 2309.04662, section 2.3 and appendix), of whose five rules Olmo 3 applies
two (appendix A.2.1, filter 9; datamap-rs, `configs/all_dressed`): 2, more than half of at least
twelve words begin with a capital, and 5, the sentence holds a "cursed" substring. A document goes if it has
fewer than five sentences or if at least a fifth of them are questionable.

Olmo 3's code compares 28 of the 32 cursed patterns as plain strings. Seven of those are regular
expressions (`Vol\\.`, ` Ep\\.`, ` nr\\.$`, `\\|\\s*$` ...) and so never match there; they are
left out here, which leaves the decisions as they are.
"""

from __future__ import annotations

import re

from regrow.data.filters import sentences, words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_WORDS = 12
_CAPITALS = 0.5
_STRINGS = (
    " \u2116", "\ufffd\ufffd\ufffd", "aute irure dolor ", " sunt in culpa qui ", "orem ipsum ", " quis nostrud ",
    " adipisicing ", " dolore eu ", " cupidatat ", "autem vel eum", "wisi enim ad", " sex ", " porn ", "\u9ec4\u8272\u7535\u5f71",
    "mp3", "ownload", "Episode", "Develop", "Facebook", " crusher ", " xxx ",
)  # fmt: skip
_PATTERNS = (
    re.compile(r"(?: \.\.\.){9}"),
    re.compile(r"(?: \.\.\.\.){9}"),
    re.compile("(?: [^ ]){9}"),
    re.compile(r", \.\.,,? \.\.,,? \.\.,,? \.\.,,?"),
)
Cursed = tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents of few sentences or of many questionable ones."""
    if not params.madlad:
        return None
    parts = sentences.split(document.text)
    if len(parts) < params.madlad_min_sentences:
        return Drop(
            "madlad.too_few_sentences", float(len(parts)), float(params.madlad_min_sentences)
        )
    cursed = curses(document.text)
    found = sum(odd_capitals(part) or holds(part, cursed) for part in parts)
    if found and found >= params.madlad_max_questionable * len(parts):
        share = found / len(parts)
        return Drop("madlad.questionable", share, params.madlad_max_questionable)
    return None


def curses(text: str) -> Cursed:
    """The cursed strings and patterns that a text holds: no other can be in one of its sentences."""
    return (
        tuple(string for string in _STRINGS if string in text),
        tuple(pattern for pattern in _PATTERNS if pattern.search(text)),
    )


def holds(sentence: str, cursed: Cursed) -> bool:
    """Whether a sentence breaks rule 5: it holds one of these."""
    strings, patterns = cursed
    return any(string in sentence for string in strings) or any(
        pattern.search(sentence) for pattern in patterns
    )


def odd_capitals(sentence: str) -> bool:
    """Whether a sentence breaks rule 2: of at least twelve words more than half begin with a capital."""
    cut = words.tokens(sentence)
    if len(cut) < _WORDS:
        return False
    return sum(word[0].isupper() for word in cut) > _CAPITALS * len(cut)
