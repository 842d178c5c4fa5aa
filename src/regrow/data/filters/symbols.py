"""Symbols, bullets, ellipses and words without letters.

Source: Gopher (arXiv 2112.11446, appendix A.1.1): hash signs or ellipses per word at most 0.1; lines that
begin with a bullet at most 90 %; lines that end with an ellipsis at most 30 %; at least 80 %
of the words hold a letter. OLMo 3, appendix A.2.1, filter 4, has the same thresholds (its
configuration states the last one as the share of words *without* a letter, 0.2).
"""

from __future__ import annotations

import re
from itertools import filterfalse
from operator import methodcaller

from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_SYMBOLS = ("#", "...", ". . .", "\u2026")
_ELLIPSES = ("...", ". . .", "\u2026")
_NO_LETTER = re.compile(r"(?<!\S)(?:[^\w\s]|[\d_])+(?!\S)")
_ASCII_NO_LETTERS = bytes(c for c in range(256) if not chr(c).isalpha() and c != ord(" "))
_BULLETS = ("\u2022", "\u25cf", "\u2023", "*", "-")


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents that are mostly symbols, bullets, cut-off lines or numbers."""
    text = document.text
    words = max(document.word_count, 1)
    ratio = sum(text.count(symbol) for symbol in _SYMBOLS) / words
    if ratio > params.max_symbol_to_word:
        return Drop("symbols.per_word", ratio, params.max_symbol_to_word)

    lines = [*map(str.strip, document.lines)]
    bullets = sum(map(methodcaller("startswith", _BULLETS), lines)) / max(len(lines), 1)
    if bullets > params.max_bullet_lines:
        return Drop("symbols.bullet_lines", bullets, params.max_bullet_lines)
    ellipses = sum(map(methodcaller("endswith", _ELLIPSES), lines)) / max(len(lines), 1)
    if ellipses > params.max_ellipsis_lines:
        return Drop("symbols.ellipsis_lines", ellipses, params.max_ellipsis_lines)

    pieces = document.spaced
    if pieces:
        letters = lettered(pieces) / len(pieces)
        if letters < params.min_alphabetic_words:
            return Drop("symbols.alphabetic_words", letters, params.min_alphabetic_words)
    return None


def lettered(pieces: list[str]) -> int:
    """How many pieces between white space hold a letter."""
    odd = [*filterfalse(str.isascii, pieces)]
    plain = " ".join(filter(str.isascii, pieces) if odd else pieces).encode("ascii")
    found = len(plain.translate(None, _ASCII_NO_LETTERS).split())
    return found + len(odd) - len(_NO_LETTER.findall(" ".join(odd)))
