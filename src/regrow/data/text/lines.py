"""Lines of a PDF to paragraphs: what a line break and a hyphen before it stand for."""

from __future__ import annotations

import re
from collections import Counter

_MARK = "\x02"
"""a hyphen at a line end; pdfium writes it for hyphen and break together, but not behind a digit"""
_MARKS = re.compile("[\x02\ufffe]\n?|(?<=[^\\W_])-\n(?=[^\\W_])")
_SPLIT = re.compile(f"(?<![^\\s{_MARK}])([^\\s{_MARK}]*+){_MARK}(?=([^\\s{_MARK}]*+))")
_WORD = re.compile(r"[^\W\d_]++(?:-[^\W\d_]++)*+")
_STEM = re.compile(r"[^\W\d_]+\Z")
_HEAD = re.compile(r"[^\W\d_]+")
_NO_PROSE = re.compile(r"[/\\@_=<>#&]|\.\w|\A\W*--|\A-\w|\w-\w")
"""an address, a path, an option, or a word that has a hyphen already"""
_BREAK = re.compile(r"(?<![\n.:;!?。！？：；])\n(?![\n\s•*–-])")
# Scripts that put no space between words: Thai, Lao, Myanmar, Khmer, Han, kana, their punctuation.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_UNSPACED_BREAK = re.compile(f"(?<=[{_UNSPACED}])(?<![。！？：；])\n(?=[{_UNSPACED}])")


def joined(pages: list[str]) -> list[str]:
    """Pages with their lines joined to paragraphs.

    A hyphen at a line end is left out where it only splits a word: letters on both sides, small ones
    behind it. It stays before a capital or a digit, behind one letter or a digit, in addresses, paths and
    options, in a word that has another hyphen, and where the document has the word with its hyphen more
    often than without. Scripts that put no space between words get none.
    """
    marked = [_MARKS.sub(_MARK, page) for page in pages]
    words = Counter(word.lower() for page in marked for word in _WORD.findall(page))
    return [_paragraphs(page, words) for page in marked]


def _paragraphs(page: str, words: Counter[str]) -> str:
    def join(found: re.Match[str]) -> str:
        return found[1] + ("-" if _stays(found[1], found[2], words) else "")

    page = _SPLIT.sub(join, page)
    return _BREAK.sub(" ", _UNSPACED_BREAK.sub("", page)).strip()


def _stays(left: str, right: str, words: Counter[str]) -> bool:
    """Whether the hyphen between these ends of two lines is part of the word."""
    stem, head = _STEM.search(left), _HEAD.match(right)
    if stem is None or head is None or len(stem[0]) == 1:
        return True
    if _NO_PROSE.search(left) or _NO_PROSE.search(right):
        return True
    with_hyphen = words[f"{stem[0]}-{head[0]}".lower()]
    without = words[f"{stem[0]}{head[0]}".lower()]
    if not head[0][0].islower():  # a name; or a heading in capitals, if the word is known
        return not (stem[0].isupper() and head[0].isupper() and without > with_hyphen)
    return with_hyphen > without
