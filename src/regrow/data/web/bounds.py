"""Upper bounds of what a page costs a parser, counted at a tenth of the price of parsing it.

Of each tag only its name is looked at, of all tags at once: eight bytes behind every `<` are one number, which is
cut at the first byte that ends a name and looked up in a table of names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrow.data.web.elements import FORMATTING, INLINE_FREE

_HIDDEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(script|style|textarea)(?=[\t\n\f\r />]).*?(?:</\1(?=[\t\n\f\r />])|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_CASELESS = "\u0130\u0131\u017f\u212a"
"""characters that are a Latin letter where upper and lower case are the same"""
_CASELESS_NAME = re.compile(f"</?[^\t\n\f\r />]*[{_CASELESS}]")
_NAME = re.compile(rb"[a-z][^\t\n\f\r />]*")
_BYTES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_ENDS = tuple(np.uint64(byte) * _BYTES for byte in b"\t\n\f\r />")
_LONGEST_BYTES = 5_000
"""of a tag and the text behind it; longer ones are measured in characters"""
_OTHER, _FLAT, _OPEN, _CLOSE, _FORMAT, _UNFORMAT, _OPTION, _TOP = range(8)
_NESTS = np.array((0, 0, 1, -1, 1, -1, 0, 0), np.int64)
_FORMATS = np.array((0, 0, 0, 0, 1, -1, 0, 0), np.int64)


@dataclass(frozen=True)
class Bounds:
    """Counts of a page; none is below what reading every tag would count."""

    tags: int
    """places that may begin a tag, outside comments, scripts, styles and text areas"""
    ends: int
    boundaries: int
    options: int
    tops: int
    """body and html"""
    unclosed: int
    """tags that another one begins in"""
    longest: int
    """characters of a tag with the text behind it"""
    nest: int
    """elements inside each other"""
    formats: int
    """formatting elements inside each other"""


def _kind(name: str, end: bool) -> int:
    """What the tag of this name is."""
    if name in FORMATTING:
        return _UNFORMAT if end else _FORMAT
    if name in ("option", "optgroup"):
        return _OPTION
    if name in ("body", "html") and not end:
        return _TOP
    if name in INLINE_FREE:
        return _FLAT
    return _CLOSE if end else _OPEN


def _number(name: str) -> int:
    return int.from_bytes(name.encode("ascii").ljust(8, b"\0"), "little")


_LISTED = sorted(
    (_number(name), name)
    for name in FORMATTING | INLINE_FREE | {"option"}
    if len(name) < 8  # of longer ones eight bytes show no end
)
_NUMBERS = np.array([number for number, _ in _LISTED], np.uint64)
_KINDS = np.array(
    [[_kind(name, end) for _, name in _LISTED] + [_kind("", end)] for end in (False, True)],
    np.uint8,
)
"""begins and ends: kind of each listed name, last that of any other"""


def count(html: str) -> Bounds | None:
    """The bounds of a page; None for names of tags whose letters are not what they seem: read those in full."""
    if not html.isascii() and any(c in html for c in _CASELESS) and _CASELESS_NAME.search(html):
        return None
    page = _HIDDEN.sub(b" ", html.encode("utf-8", "surrogatepass"))
    codes = np.frombuffer(page, np.uint8)
    marks = np.flatnonzero((codes == ord("<")) | (codes == ord(">")))
    opening = codes[marks] == ord("<")
    places = marks[opening]
    if not len(places):
        return Bounds(0, 0, 0, 0, 0, 0, 0, 0, 0)
    kinds = _kinds(page.lower(), places)
    of = np.bincount(kinds, minlength=8).tolist()
    return Bounds(
        tags=len(kinds), ends=of[_CLOSE] + of[_UNFORMAT], boundaries=len(kinds) - of[_FORMAT] - of[_OTHER],
        options=of[_OPTION], tops=of[_TOP],
        unclosed=int(np.count_nonzero(opening[:-1] & opening[1:])) + int(opening[-1]),
        longest=_longest(codes, places), nest=_rise(_NESTS[kinds]), formats=_rise(_FORMATS[kinds]),
    )  # fmt: skip


def _kinds(page: bytes, places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The kind of what begins at each place."""
    padded = page + b" " * 16
    windows = np.ndarray((len(padded) - 7,), np.dtype("<u8"), padded, strides=(1,))
    names = windows[places + 1]
    end = (names & np.uint64(0xFF)) == ord("/")
    names = np.where(end, windows[places + 2], names)
    # The lowest bit of `found` is at the first byte that ends a name (a byte is zero where it is equal).
    found = np.zeros(len(names), np.uint64)
    for byte in (*_ENDS, np.uint64(ord("<")) * _BYTES):
        unlike = names ^ byte
        found |= (unlike - _BYTES) & ~unlike & _TOPS
    names &= ((found & (~found + np.uint64(1))) >> np.uint64(7)) - np.uint64(1)
    at = np.minimum(np.searchsorted(_NUMBERS, names), len(_NUMBERS) - 1)
    at[_NUMBERS[at] != names] = len(_NUMBERS)
    kinds = _KINDS[end.astype(np.int64), at]
    first = names & np.uint64(0xFF)
    kinds[(first < ord("a")) | (first > ord("z"))] = _OTHER
    for one in np.flatnonzero((found == 0) & (kinds != _OTHER)).tolist():
        begin = int(places[one]) + 1 + bool(end[one])
        name = _NAME.match(page[begin : begin + 12].split(b"<")[0])
        assert name
        kinds[one] = _kind(name[0].decode("latin-1"), bool(end[one]))
    return kinds


def _longest(codes: NDArray[np.uint8], places: NDArray[np.int64]) -> int:
    """Characters from the tag that is the furthest from the next one to there; bytes if they are few."""
    lengths = np.diff(places, append=len(codes)) - 1
    longest = int(lengths.max())
    if longest <= _LONGEST_BYTES:
        return longest
    characters = 0
    for one in np.flatnonzero(lengths > _LONGEST_BYTES).tolist():
        piece = codes[int(places[one]) + 1 : int(places[one]) + 1 + int(lengths[one])]
        characters = max(characters, int(np.count_nonzero((piece & 0xC0) != 0x80)))
    return max(characters, min(longest, _LONGEST_BYTES))


def _rise(steps: NDArray[np.int64]) -> int:
    """The furthest that a path goes up from a low point."""
    path = np.cumsum(steps[steps != 0])
    return int(path.max() - min(0, int(path.min()))) if len(path) else 0
