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
PARTS, LONE, IN_WORD = 0, 1, 2
SURROGATES = slice(0xD800, 0xE000)


def parted(texts: Iterable[str]) -> bytes:
    """The words of texts in UTF-8: any number of spaces parts them, and each text ends with `END`."""
    every = [_without_halves(text) for text in texts]
    ends = np.cumsum([size + 1 for _, size in every], dtype=np.int64) - 1
    whole = "".join(f"{text}\n" for text, _ in every)
    plain = whole.isascii()
    data = whole.encode("latin-1") if plain else whole.encode("utf-16-le")
    units: NDArray[np.uint8 | np.uint16] = np.frombuffer(data, np.uint8 if plain else np.uint16)
    kinds = table()[units]
    out = np.where(kinds == PARTS, units.dtype.type(_SPACE), units)
    _keep_apostrophes(out, units, kinds)
    out[ends] = END
    if plain:
        return out.tobytes()
    if (lone := kinds == LONE).any():
        begins = lone.copy()
        begins[1:] |= lone[:-1] & (kinds[1:] == IN_WORD)
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
        kept = at[(kinds[at - 1] == IN_WORD) & (kinds[at + 1] == IN_WORD)]
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
def table() -> NDArray[np.uint8]:
    """What each UTF-16 code unit is; surrogates count as characters of words."""
    found = np.full(1 << 16, PARTS, np.uint8)
    found[SURROGATES] = IN_WORD
    whole = np.arange(1 << 16, dtype=np.uint16)
    whole = np.concatenate([whole[: SURROGATES.start], whole[SURROGATES.stop :]])
    # In order and each twice, characters of words are runs, and each that is a word of its own is two words.
    cut = words.tokens(np.repeat(whole, 2).tobytes().decode("utf-16-le"))
    lone = "".join(one for one in cut if len(one) == 1).encode("utf-16-le")
    found[np.frombuffer(lone, np.uint16)] = LONE
    for run in cut:
        if len(run) > 1:
            found[ord(run[0]) : ord(run[-1]) + 1] = IN_WORD
    return found
