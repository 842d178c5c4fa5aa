"""Words of a text in any script.

Cutting at spaces finds one "word" per sentence in Chinese, Japanese, Thai, Lao, Khmer and
Burmese, so that a filter on word counts drops them before the language filter has spoken.
Here each character of those scripts is a token, and two of them count as one word (the mean
length of a Chinese word in running text is about 1.6 characters, of a Japanese one about 2).

A word of another script is a run of characters that are neither white space nor punctuation
nor symbols, by explicit code point ranges: combining vowels stay inside their word (Python's
`\\w` splits Hindi at them), and the cut does not depend on a Unicode version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, groupby, islice

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3041-\u30ff"  # kana
    "\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uff66-\uff9d"  # half-width kana
    "\U00020000-\U0003ffff"  # Han
)
_APART = (
    "\\s\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7"
    "\u2000-\u206f\u2190-\u2bff\u2e00-\u2e7f\u3000-\u303f\ufe10-\ufe1f\ufe30-\ufe6f"
    "\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff0-\uffff"
    "\U0001f000-\U0001faff"  # pictures
)
_RUN = f"[^{_APART}{_UNSPACED}]+"
_TOKEN = re.compile(f"[{_UNSPACED}]|{_RUN}(?:['\u2019]{_RUN})*")
_LONE = re.compile(f"[{_UNSPACED}]")
_FOREIGN = re.compile(f"[{_UNSPACED}\u3000-\u303f\uff00-\uff65]+")
CHARACTERS_PER_WORD = 2
"""characters of a script without spaces that count as one word"""


_ASCII_APART = bytes(
    c if _TOKEN.match(chr(c)) or c == ord("'") else ord(" ") for c in range(128)
).ljust(256, b" ")
_COMMON_APART = "\u2022\u201c\u201d\u2013\u2014\u2026\xa0\xb7\xb6"
"""what makes most English texts more than ASCII; a space parts words as well"""
_OUTER_APOSTROPHE = re.compile(rb"(?<!\w)'|'(?!\w)")
_SPACED_LEADING = bytes(b for b in range(256) if b < 0xE0 or b == 0xE2)
"""bytes of UTF-8 that begin none of `_FOREIGN`: below U+0800, and U+2000 to U+2FFF"""


def tokens(text: str) -> list[str]:
    """The words of a text, in order; in a script without spaces every character is one."""
    if not text.isascii():
        for mark in _COMMON_APART:
            text = text.replace(mark, " ")
    if text.isascii():
        return _ascii_tokens(text)
    # No word goes over a line end, so that lines in ASCII can be cut the fast way.
    return [
        *chain.from_iterable(
            _ascii_tokens("\n".join(lines)) if plain else _TOKEN.findall("\n".join(lines))
            for plain, lines in groupby(text.split("\n"), str.isascii)
        )
    ]


def _ascii_tokens(text: str) -> list[str]:
    data = text.encode("ascii").translate(_ASCII_APART)
    if b"'" in data:
        data = _OUTER_APOSTROPHE.sub(b" ", data)
    return data.decode("ascii").split()


def may_be_unspaced(text: str) -> bool:
    """Whether a text may hold characters of scripts without spaces; False is certain."""
    if text.isascii():
        return False
    data = text.encode("utf-8", "surrogatepass")
    # Bytes that continue a character are all below those that begin one.
    return bool(data.translate(None, _SPACED_LEADING))


def each(text: str) -> Iterator[str]:
    """The same words one after the other, for those who may stop early."""
    return (match.group() for match in _TOKEN.finditer(text))


def count(text: str, cut: list[str] | None = None) -> int:
    """Number of words of a text; punctuation is none. `cut`: its tokens, if they are at hand."""
    found = len(tokens(text) if cut is None else cut)
    lone = len(_LONE.findall(text)) if may_be_unspaced(text) else 0
    return found - lone + -(-lone // CHARACTERS_PER_WORD)


def fewer(line: str, n: int) -> bool:
    """Whether a line has fewer than n words; looks no further than it must."""
    if not line.isascii():
        if may_be_unspaced(line):
            return count(line) < n
        return sum(1 for _ in islice(_TOKEN.finditer(line), n)) < n
    # No more words than characters: a pattern cannot repeat a group without limit.
    return n > len(line) or (n > 0 and _at_least(n).match(line) is None)


@lru_cache
def _at_least(n: int) -> re.Pattern[str]:
    """Matches the beginning of a line in ASCII that has n words or more."""
    return re.compile(rf"(?:\W*+\w++(?:'\w++)*+){{{n}}}", re.ASCII)


def spaced(text: str) -> list[str]:
    """Pieces between white space, punctuation included, of the scripts that write spaces.

    None for a text most of whose words are of other scripts: the few Latin names and numbers
    in a Chinese page say nothing about it.
    """
    if not may_be_unspaced(text):
        return text.split()
    pieces = _FOREIGN.sub(" ", text).split()
    lone = len(_LONE.findall(text))
    return pieces if lone <= CHARACTERS_PER_WORD * len(pieces) else []
