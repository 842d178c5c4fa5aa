"""What the native code knows of a character: what it becomes when a text is folded, and what it is in a word.

Of characters beyond 16 bits the table says nothing. Of texts as they are it says nothing either of those that change
with what is beside them, and of rare ones.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup import folding, splitting

_MAY_CHANGE = (
    (0, 0x300), (0x370, 0x483), (0x48A, 0x530), (0x5D0, 0x5EB), (0x60C, 0x610), (0x61B, 0x64B), (0x671, 0x6D6), (0x1E00, 0x1F00),
    (0x2000, 0x20D0), (0x2100, 0x2800), (0x3000, 0x302A), 
    (0x3030, 0x3099), (0x309B, 0x3100), (0xFF01, 0xFF10), (0xFF1A, 0xFF5F),
)  # fmt: skip
"""Latin, Greek, Cyrillic, Hebrew, Arabic, punctuation, symbols and kana, without marks and digits of other scripts"""
_STAY = ((0x4E00, 0x9FA6), (0xAC00, 0xD7A4))
"""Han and Hangul: each stays as it is"""
_LENGTH, _KIND = np.uint64(40), np.uint64(44)
_SEPARATES, _WHITE, _STEADY = (np.uint64(1 << bit) for bit in (48, 49, 50))
"""may part thousands; is white space; stays as it is in NFC, whatever stands beside it"""
_PARTS, _LONE, _IN_WORD, _APOSTROPHE = 1, 2, 3, 4
_ROOM = 5
"""bytes of what a character becomes"""
_THOUSANDS = ",_\u202f\u2009\xa0"
_KEPT = "'\u2019"
"""apostrophes of `regrow.data.filters.words`"""
Entries = NDArray[np.uint64]


@cache
def table(raw: bool) -> Entries:
    """Entries by character, for `ngrams.c`; `raw`: of texts as they are, else of folded ones."""
    entries = _as_they_are()
    if not raw:
        return entries
    found = np.zeros_like(entries)
    for first, end in _STAY:
        found[first:end] = entries[first:end] | _STEADY
    for first, end in _MAY_CHANGE:
        found[first:end] = entries[first:end] | _STEADY
        for one in map(chr, range(first, end)):
            if (whole := _becomes(one)) != one:
                steady = unicodedata.normalize("NFC", one) == one
                found[ord(one)] = _entry(whole, entries) | (_STEADY if steady else np.uint64(0))
            if one.isspace():
                found[ord(one)] |= _WHITE
            if whole == "'" or one in _THOUSANDS:
                found[ord(one)] |= _SEPARATES
    return found


def _as_they_are() -> Entries:
    """Entries of characters that stay what they are."""
    code = np.arange(1 << 16, dtype=np.uint64)
    low, middle, high = (_bits(code, first) for first in (0, 6, 12))
    sizes = 1 + (code >= 0x80).astype(np.uint64) + (code >= 0x800)
    more = np.uint64(0x80)
    two = (code >> np.uint64(6) | np.uint64(0xC0)) | (low | more) << np.uint64(8)
    three = high | np.uint64(0xE0) | (middle | more) << np.uint64(8) | (low | more) << np.uint64(16)
    data = np.choose(sizes.astype(np.int64) - 1, [code, two, three])
    kinds = np.array([_PARTS, _LONE, _IN_WORD], np.uint64)[splitting.table()]
    kinds[[ord(one) for one in _KEPT]] = _APOSTROPHE
    entries = data | sizes << _LENGTH | kinds << _KIND
    entries[splitting.SURROGATES] = 0
    return entries


def _bits(code: Entries, first: int) -> Entries:
    return code >> np.uint64(first) & np.uint64(0x3F)


def _becomes(one: str) -> str:
    """What a character of a text becomes; nothing, where that is a matter for Python."""
    if one in folding.APOSTROPHES:
        return "'"
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", one).casefold())
    return "" if folding.is_odd(one) else whole.replace("_", " ")


def _entry(whole: str, entries: Entries) -> np.uint64:
    """The entry of a character that becomes this; 0 where its parts are not all of one kind, or change each other."""
    codes = [*map(ord, whole)]
    if (
        not codes
        or max(codes) > 0xFFFF
        or any(unicodedata.category(one)[0] == "M" for one in whole)
    ):
        return np.uint64(0)
    kind, *others = {int(entries[code] >> _KIND) for code in codes}
    data = whole.encode()
    if others or len(data) > _ROOM or (len(whole) > 1 and kind in (_LONE, _APOSTROPHE)):
        return np.uint64(0)
    size = len(data) << int(_LENGTH)
    return np.uint64(int.from_bytes(data, "little") | size | kind << int(_KIND))
