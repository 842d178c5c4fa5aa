"""Reading order: a page cut into regions that are read one after another.

Recursive XY cuts (Nagy and Seth, 1984; Ha, Haralick and Phillips, 1995), with the cut chosen by the white column
that the most lines stand beside, as Breuel (2002, "Two geometric algorithms for layout analysis") finds gutters: a
line across it (a title, a wide table) ends it above and below. What has no gutter is read from top to bottom.

What is beside a gutter says whether it is between columns of text or between the cells of a table: lines of text
that fill their column, or lines that the file draws column by column.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from regrow.data.pdf.rows import to_the_left
from regrow.data.pdf.segments import Segment

_NARROWEST = 0.8
"""ems of a gutter"""
_LINES = 3
"""in a column at least"""
_FILLED = 0.75
"""width of a line that fills its column, by that of the widest tenth"""
_CHARACTERS = 15
"""of such a line at least"""
_SHARE = 0.3
"""of the lines of a column at least fill it; the others may be equations, cells and pieces of figures"""
_FEWEST = 8
"""characters of a line, median, where the file draws column by column: an index"""
_DRAWN_LINES = 6
"""of a column that is known by the order of drawing alone"""
_SWITCHES = 0.2
"""changes of side, as the file draws, by lines of the shorter column: below it, it draws column by column"""
_TOGETHER = 0.4
"""share of the shorter column's height that is beside the other"""
_MOST = 1_500
"""segments of a page with more are not searched for columns: no page for people has them"""
_DEEPEST = 12
_TRIED = 24
"""left ends of most lines, at which a column is looked for"""


def regions(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of a frame in regions, in reading order.

    Columns are read from the left, and from the right where most letters are of a script that is written so.
    """
    if not segments:
        return []
    if len(segments) > _MOST:
        return [list(segments)]
    numbered = list(enumerate(segments))
    leftwards = to_the_left("".join(one.text for one in segments))
    return [[one for _, one in part] for part in _cut(numbered, leftwards, _DEEPEST) if part]


_Numbered = list[tuple[int, Segment]]
"""segments with their places in the order of drawing"""


@dataclass(frozen=True)
class _Gutter:
    left: _Numbered
    right: _Numbered
    top: float
    bottom: float

    @property
    def lines(self) -> int:
        return len(self.left) + len(self.right)


def _cut(parts: _Numbered, leftwards: bool, deepest: int) -> list[_Numbered]:
    gutter = _best(parts) if deepest and len(parts) >= 2 * _LINES else None
    if gutter is None:
        return [parts]
    inside = {at for at, _ in (*gutter.left, *gutter.right)}
    rest = [(at, one) for at, one in parts if at not in inside]
    above = [(at, one) for at, one in rest if one.base > gutter.top]
    below = [(at, one) for at, one in rest if one.base <= gutter.top]
    sides = (gutter.right, gutter.left) if leftwards else (gutter.left, gutter.right)
    found: list[_Numbered] = []
    for part in (above, *sides, below):
        found += _cut(part, leftwards, deepest - 1) if part else []
    return found


def _best(parts: _Numbered) -> _Gutter | None:
    """The gutter with the most lines beside it; of several the widest to the left."""
    size = _median([one.size for _, one in parts])
    width = _NARROWEST * size
    best: _Gutter | None = None
    for begin in _begins(parts, size):
        for gutter in _bands(parts, begin - width, begin):
            if (best is None or gutter.lines > best.lines) and _columns(gutter):
                best = gutter
    return best


def _begins(parts: _Numbered, size: float) -> list[float]:
    """Where columns may begin: left ends that several lines have, from the left."""
    found: list[tuple[int, float]] = []
    ends = sorted(one.left for _, one in parts)
    at = 0
    while at < len(ends):
        near = at
        while near < len(ends) and ends[near] - ends[at] <= 0.3 * size:
            near += 1
        if near - at >= 2 and at:  # nothing is to the left of the first
            found.append((at - near, ends[at]))
        at = near
    return sorted(end for _, end in sorted(found)[:_TRIED])


def _bands(parts: _Numbered, left: float, right: float) -> list[_Gutter]:
    """The white columns between `left` and `right`: from one line across it to the next."""
    lines = sorted(parts, key=lambda item: (-item[1].base, item[0]))
    found: list[tuple[_Numbered, _Numbered]] = []
    before: _Numbered = []
    behind: _Numbered = []
    for at, one in lines:
        if one.left < right and one.right > left:
            found.append((before, behind))
            before, behind = [], []
        elif one.right <= left:
            before.append((at, one))
        else:
            behind.append((at, one))
    found.append((before, behind))
    return [_gutter(*sides) for sides in found if min(map(len, sides)) >= _LINES]


def _gutter(left: _Numbered, right: _Numbered) -> _Gutter:
    bases = [one.base for _, one in (*left, *right)]
    return _Gutter(left, right, max(bases), min(bases))


def _columns(gutter: _Gutter) -> bool:
    sides = (gutter.left, gutter.right)
    counts = [_lines(side) for side in sides]
    if min(counts) < _LINES:
        return False
    tops = [max(one.top for _, one in side) for side in sides]
    ends = [min(one.bottom for _, one in side) for side in sides]
    common = min(tops) - max(ends)
    if common < _TOGETHER * min(top - end for top, end in zip(tops, ends, strict=True)):
        return False
    full = [_full(side) for side in sides]
    prose = [
        count >= max(_LINES, _SHARE * lines) for count, lines in zip(full, counts, strict=True)
    ]
    if all(prose):
        return True
    if min(counts) < _DRAWN_LINES or _switches(gutter) > _SWITCHES * min(counts):
        return False
    characters = [_median([len(one.text) for _, one in side]) for side in sides]
    return all(text or many >= _FEWEST for text, many in zip(prose, characters, strict=True))


def _full(side: _Numbered) -> int:
    """How many lines are text that fills the column."""
    widths = sorted(one.right - one.left for _, one in side if len(one.text) >= _CHARACTERS)
    if not widths:
        return 0
    wide = widths[min(len(widths) - 1, int(0.9 * len(widths)))]
    return sum(width >= _FILLED * wide for width in widths)


def _lines(side: _Numbered) -> int:
    """How many lines the segments of a side are in."""
    found, last = 0, None
    for base in sorted((one.base for _, one in side), reverse=True):
        if last is None or last - base > 1.0:
            found += 1
            last = base
    return found


def _switches(gutter: _Gutter) -> int:
    """How often the file goes from one side to the other, less the one time that it must."""
    sides = sorted([(at, 0) for at, _ in gutter.left] + [(at, 1) for at, _ in gutter.right])
    return sum(a != b for (_, a), (_, b) in itertools.pairwise(sides)) - 1


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
