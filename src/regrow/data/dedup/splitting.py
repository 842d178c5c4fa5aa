"""Words of many folded texts at once, as bytes: the words that `regrow.data.filters.words.tokens` cuts one text into.

A table says of each UTF-16 code unit whether it parts words, is a word of its own (scripts without spaces), or neither;
it is asked for all characters of a batch together.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from regrow.data.filters import words

END = ord("\n")
"""ends each text; words are parted by spaces"""
_SPACE, _APOSTROPHES = 0x20, (0x27, 0x2019)
_PARTS, _LONE, _IN_WORD = 0, 1, 2


def parted(texts: Iterable[str]) -> bytes:
    """The words of texts in UTF-8: any number of spaces parts them, and each text ends with `END`."""
    every = [_without_halves(text) for text in texts]
    ends = np.cumsum([size + 1 for _, size in every], dtype=np.int64) - 1
    whole = "".join(f"{text}\n" for text, _ in every)
    plain = whole.isascii()
    data = whole.encode("latin-1") if plain else whole.encode("utf-16-le")
    units: NDArray[np.uint8 | np.uint16] = np.frombuffer(data, np.uint8 if plain else np.uint16)
    kinds = _table()[units]
    out = np.where(kinds == _PARTS, units.dtype.type(_SPACE), units)
    _keep_apostrophes(out, units, kinds)
    out[ends] = END
    if plain:
        return out.tobytes()
    if (lone := kinds == _LONE).any():
        begins = lone.copy()
        begins[1:] |= lone[:-1] & (kinds[1:] == _IN_WORD)
        out = np.insert(out, np.flatnonzero(begins), _SPACE)
    return out.tobytes().decode("utf-16-le").encode("utf-8")


def _keep_apostrophes(
    out: NDArray[np.uint8 | np.uint16],
    units: NDArray[np.uint8 | np.uint16],
    kinds: NDArray[np.uint8],
) -> None:
    """Put back those that stand between two characters of a word."""
    for mark in _APOSTROPHES:
        at = np.flatnonzero(units == mark)
        at = at[at > 0]  # what follows is there: the last character ends a text
        kept = at[(kinds[at - 1] == _IN_WORD) & (kinds[at + 1] == _IN_WORD)]
        out[kept] = units[kept]


def _without_halves(text: str) -> tuple[str, int]:
    """A text with the same words, whose surrogates, if it has any, are characters of words; its length in code units."""
    if text.isascii():
        return text, len(text)
    try:
        size = len(text.encode("utf-16-le")) // 2
        if size == len(text):
            return text, size
    except UnicodeEncodeError:  # half of a pair
        pass
    text = " ".join(words.tokens(text))
    return text, len(text.encode("utf-16-le")) // 2


@cache
def _table() -> NDArray[np.uint8]:
    """What each UTF-16 code unit is; surrogates count as characters of words."""
    table = np.full(1 << 16, _PARTS, np.uint8)
    table[0xD800:0xE000] = _IN_WORD
    whole = [chr(unit) for unit in range(1 << 16) if not 0xD800 <= unit < 0xE000]
    for found in words.tokens(" ".join(unit * 2 for unit in whole)):
        table[ord(found[0])] = _LONE if len(found) == 1 else _IN_WORD
    return table
