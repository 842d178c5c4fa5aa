"""Running headers and footers: lines at the top or bottom of pages that come again there, with other numbers.

Lin (2003, "Header and footer extraction by page association") compares the outermost lines of a page with those of
the pages around it, numbers folded, and takes what agrees. The same here, with one more rule for lines whose words
change with every section: they hold the number of their page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from regrow.data.pdf.rows import Row

_OUTERMOST = 3
"""lines at each end of a page that are compared"""
_AROUND = 2
"""pages before and behind; with 2, left and right pages may differ"""
_TIMES = 3
"""pages on which a line is found at least"""
_NEAR = 4.0
"""points by which its height on the page may differ"""
_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"(?<!\w)[ivxlcdm]{1,8}(?!\w)", re.IGNORECASE)
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


@dataclass(frozen=True)
class _Line:
    page: int
    at: int
    """place among the rows of its page"""
    key: str
    base: float
    numbers: frozenset[int]
    depth: int
    """how many lines are further out"""


def running(pages: Sequence[Sequence[Row]]) -> list[frozenset[int]]:
    """For each page the places of its running lines among its rows, which come from top to bottom.

    A line counts only if all lines further out on its page do: what stands between headers is text.
    """
    found: list[set[int]] = [set() for _ in pages]
    for top in (True, False):
        lines = [_outermost(number, rows, top) for number, rows in enumerate(pages)]
        known = _known(lines)
        for own in lines:
            for line in own:
                if (line.page, line.at) not in known:
                    break
                found[line.page].add(line.at)
    return [frozenset(own) for own in found]


def _outermost(number: int, rows: Sequence[Row], top: bool) -> list[_Line]:
    places = range(len(rows)) if top else range(len(rows) - 1, -1, -1)
    found = []
    for depth, at in enumerate(places[:_OUTERMOST]):
        text = rows[at].text
        found.append(
            _Line(number, at, _folded(text), rows[at].base, frozenset(_numbers(text)), depth)
        )
    return found


def _folded(text: str) -> str:
    return " ".join(_NUMBER.sub("#", _ROMAN.sub("#", text.lower())).split())


def _numbers(text: str) -> list[int]:
    """The numbers of a line that could be its page's: the first and the last word, Roman ones as well."""
    words = text.split()
    found = []
    for word in {*words[:1], *words[-1:]}:
        word = word.strip("-–—.|[]()").lower()
        if word.isascii() and word.isdigit() and len(word) < 6:
            found.append(int(word))
        elif word and len(word) < 9 and not word.strip("ivxlcdm"):
            found.append(_roman(word))
    return found


def _roman(word: str) -> int:
    values = [_VALUES[letter] for letter in word]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _known(lines: Sequence[Sequence[_Line]]) -> set[tuple[int, int]]:
    """(page, place) of the lines that come again on pages around theirs, or hold the number of their page."""
    found: set[tuple[int, int]] = set()
    times = Counter(line.key for own in lines for line in own)
    for own in lines:
        for line in own:
            if times[line.key] < _TIMES or not line.key:
                continue
            others = range(max(0, line.page - _AROUND), min(len(lines), line.page + _AROUND + 1))
            if any(_again(line, other) for p in others if p != line.page for other in lines[p]):
                found.add((line.page, line.at))
    return found | _numbered(lines)


def _again(line: _Line, other: _Line) -> bool:
    if line.key != other.key or abs(line.base - other.base) > _NEAR:
        return False
    # A number by itself that does not count with the pages is a number of the text.
    return line.key != "#" or _offsets(line) & _offsets(other) != set()


def _offsets(line: _Line) -> set[int]:
    return {number - line.page for number in line.numbers}


def _numbered(lines: Sequence[Sequence[_Line]]) -> set[tuple[int, int]]:
    """Outermost lines, at one height, that hold their page's number: on most pages around them."""
    places: dict[tuple[int, int], set[int]] = {}
    for own in lines:
        for line in own[:1]:
            for offset in _offsets(line):
                places.setdefault((round(line.base / _NEAR), offset), set()).add(line.page)
    found = set()
    for own in lines:
        for line in own[:1]:
            for offset in _offsets(line):
                same = places[(round(line.base / _NEAR), offset)]
                near = range(line.page - 4, line.page + 5)
                if sum(page in same for page in near) >= _TIMES + 1:
                    found.add((line.page, line.at))
    return found
