"""What the native code knows of a character: what it becomes when a text is folded, and what it is in a word.

Of characters beyond these ranges, and of those that become something else beside others, the table says nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup import folding
from regrow.data.filters import words

_RANGES = ((0, 0x530), (0x2000, 0x2800), (0x3000, 0x3100))
"""Latin, Greek, Cyrillic; punctuation and symbols; kana"""
_HAN = (0x4E00, 0x9FA6)
"""of Unicode 1.1: each stays as it is"""
_LENGTH, _KIND = 40, 44
_SEPARATES, _WHITE, _STEADY = 1 << 48, 1 << 49, 1 << 50
"""may part thousands; is white space; stays as it is in NFC, whatever stands beside it"""
_PARTS, _LONE, _IN_WORD, _APOSTROPHE = 1, 2, 3, 4
_ROOM = 5
_THOUSANDS = ",_\u202f\u2009\xa0"
_KEPT = "'\u2019"
"""apostrophes of `regrow.data.filters.words`"""


@cache
def table(raw: bool) -> NDArray[np.uint64]:
    """Entries by character, for `ngrams.c`; `raw`: of texts as they are, else of folded ones."""
    found = np.zeros(1 << 16, np.uint64)
    characters = [chr(code) for first, end in _RANGES for code in range(first, end)]
    becomes = {one: _folded(one) if raw else one for one in characters}
    kinds = _kinds({part for whole in becomes.values() if whole for part in whole})
    for one, whole in becomes.items():
        entry = _entry(whole, kinds) if whole else 0
        if raw and (one in _THOUSANDS or (entry >> _KIND) == _APOSTROPHE):
            entry |= _SEPARATES
        found[ord(one)] = entry | _flags(one)
    found[slice(*_HAN)] = _han()
    return found


def _folded(one: str) -> str:
    """What a character becomes, wherever it stands; nothing, where that depends on what is beside it."""
    if one in folding.APOSTROPHES:
        return "'"
    if folding.is_odd(one) or not _alone(one):
        return ""
    whole = folding.fold(one)
    return whole if all(map(_alone, whole)) else ""


def _alone(one: str) -> bool:
    """Whether a character neither changes with what stands before it nor changes that."""
    return not unicodedata.category(one).startswith("M") and unicodedata.normalize("NFC", one) == one


def _kinds(characters: Iterable[str]) -> dict[str, int]:
    """What each character is in a word: twice in a row it is one word, two words, or none."""
    kinds = dict.fromkeys(characters, _PARTS)
    for word in words.tokens(" ".join(one * 2 for one in sorted(kinds))):
        kinds[word[0]] = _LONE if len(word) == 1 else _IN_WORD
    return kinds | dict.fromkeys(_KEPT, _APOSTROPHE)


def _entry(whole: str, kinds: dict[str, int]) -> int:
    """An entry without flags; 0 for what is partly in a word, or of several words."""
    kind, *others = {kinds[part] for part in whole}
    data = whole.encode()
    if others or len(data) > _ROOM or (len(whole) > 1 and kind in (_LONE, _APOSTROPHE)):
        return 0
    return int.from_bytes(data, "little") | len(data) << _LENGTH | kind << _KIND


def _flags(one: str) -> int:
    return (_WHITE if one.isspace() else 0) | (_STEADY if _alone(one) else 0)


def _han() -> NDArray[np.uint64]:
    """Entries of Han characters, which are words of their own."""
    code = np.arange(*_HAN, dtype=np.uint64)
    low, middle = code & np.uint64(0x3F) | np.uint64(0x80), code >> np.uint64(6)
    first = middle >> np.uint64(6) | np.uint64(0xE0)
    middle = middle & np.uint64(0x3F) | np.uint64(0x80)
    data = first | middle << np.uint64(8) | low << np.uint64(16)
    return data | np.uint64(3 << _LENGTH | _LONE << _KIND | _STEADY)
