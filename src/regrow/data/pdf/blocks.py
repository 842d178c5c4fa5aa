"""Rows of a region to blocks: paragraphs, lines that stay lines, tables by rows.

A line of running text ends where the next word no longer fits. So a line that ends earlier, though the first word of
the next one would have fitted, was broken on purpose: the end of a paragraph, an item of a list, a line of code.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from regrow.data.pdf.rows import Row
from regrow.data.pdf.spelling import HYPHEN

Kind = Literal["text", "lines"]

_INDENT = 0.8
"""ems by which the first line of a paragraph begins further right"""
_LOOSER = 1.25
"""a gap between lines that is so much larger than the usual one parts paragraphs"""
_OTHER_SIZE = 1.12
"""ratio of sizes from which on a line is of another kind: a heading, a note"""
_WIDEST = 80
"""spaces between two pieces of code"""
_BULLET = re.compile(
    r"[•‣◦▪▫■□●○◆◇▶►✓–—*·-] |\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)] |\[\d{1,3}\] "
)
_SPLIT = re.compile(f"{HYPHEN}$|[^\\W_]-$")
_ENDED = re.compile(r"[.!?:;][\"'”’»)\]]*$")
_LONG = 0.6
"""share of the width"""
_FIRST = re.compile(r"\S+")


@dataclass(frozen=True)
class Block:
    """Lines that belong together."""

    lines: tuple[str, ...]
    kind: Kind
    """`text` is joined to one paragraph; `lines` stay as they are: code, tables"""
    size: float
    apart: bool
    """more than a line's distance from the block before"""
    indented: bool
    """its first line begins further right than the region"""
    full: bool
    """its last line reaches the right end, so that the text may go on in the next column or page"""
    base: float
    """baseline of its first line"""


def blocks(region: Sequence[Row]) -> list[Block]:
    """The blocks of a region, whose rows come from top to bottom."""
    if not region:
        return []
    tables = _tables(region)
    left = min(row.left for row in region)
    right = _right([row for row in region if not row.fixed and id(row) not in tables] or region)
    leading = _leading(region)
    found: list[Block] = []
    held: list[Row] = []
    apart = True

    def end() -> None:
        if held:
            found.append(_block(held, tables, (left, right), apart))
            held.clear()

    for row in region:
        if held:
            before = held[-1]
            gap = before.base - row.base
            split = before.text.endswith(HYPHEN) and row.text[:1].islower()
            loose = gap > (2 if split else 1) * _LOOSER * leading(row)
            if loose or _parts(before, row, tables, (left, right), len(held) == 1):
                end()
                apart = loose or _ratio(before.size, row.size) > _OTHER_SIZE
        held.append(row)
    end()
    return found


def _block(
    held: Sequence[Row], tables: frozenset[int], ends: tuple[float, float], apart: bool
) -> Block:
    first, last = held[0], held[-1]
    kind: Kind = "lines" if first.fixed or id(first) in tables else "text"
    if kind == "text":
        lines = [row.text for row in held]
    elif id(first) in tables:
        lines = [row.joined("\t").replace(HYPHEN, "-") for row in held]
    else:
        lines = _code(held)
    return Block(
        lines=tuple(lines), kind=kind, size=first.size, apart=apart, base=first.base,
        indented=first.left - ends[0] > _INDENT * first.size, full=ends[1] - last.right < 2.5 * last.size,
    )  # fmt: skip


def _code(held: Sequence[Row]) -> list[str]:
    """Lines of code with their spaces, in characters of the font's pitch."""
    left = min(row.left for row in held)
    widths = [
        (one.right - one.left) / len(one.text)
        for row in held for one in row.segments if len(one.text) > 3
    ]  # fmt: skip
    pitch = max(0.1, sorted(widths)[len(widths) // 2] if widths else 0.6 * held[0].size)
    return [_spaced(row, left, pitch) for row in held]


def _spaced(row: Row, left: float, pitch: float) -> str:
    line, at = "", left
    for one in row.segments:
        spaces = round((one.left - at) / pitch)
        line += " " * min(_WIDEST, max(spaces, 1 if line and one.left - at > 0.5 * pitch else 0))
        line += one.text.replace(HYPHEN, "-")
        at = one.right
    return line


def _parts(
    before: Row, row: Row, tables: frozenset[int], ends: tuple[float, float], first: bool
) -> bool:
    """Whether a row begins another block than the row before it. `first`: that one begins its block."""
    kinds = [(one.fixed, id(one) in tables) for one in (before, row)]
    if kinds[0] != kinds[1] or _ratio(before.size, row.size) > _OTHER_SIZE:
        return True
    if kinds[0] != (False, False):
        return False
    if _BULLET.match(row.text):
        return True
    hung = row.left - before.left
    if _INDENT * row.size < hung < 6 * row.size:  # an indented first line, or the second of an item
        item = first and _BULLET.match(before.text)
        if not (item or _SPLIT.search(before.text) or row.text[0].islower()):
            return True
    return not _goes_on(before, row, ends)


def _goes_on(before: Row, row: Row, ends: tuple[float, float]) -> bool:
    """Whether a line was broken because it was full."""
    word = _FIRST.match(row.text)
    if _SPLIT.search(before.text) or word is None:
        return True
    width = (row.right - row.left) * len(word[0]) / max(1, len(row.text))
    if ends[1] - before.right < 1.1 * width + 0.8 * row.size:
        return True
    # Some programs break lines after so many characters, however wide these are.
    long = before.right - before.left > _LONG * (ends[1] - ends[0])
    return long and row.text[0].islower() and not _ENDED.search(before.text)


def _right(region: Sequence[Row]) -> float:
    """Where lines of text end: the farthest right end that several of them have, else the farthest of all."""
    ends = sorted((row.right for row in region), reverse=True)
    few = max(3, len(ends) // 10)
    for at in range(len(ends) - few + 1):
        if ends[at] - ends[at + few - 1] < 2.0:
            return ends[at]
    return ends[0]


def _leading(region: Sequence[Row]) -> Callable[[Row], float]:
    """Row -> the usual distance of lines of its size."""
    gaps: dict[float, list[float]] = {}
    for before, row in itertools.pairwise(region):
        gap = before.base - row.base
        if 0.8 * row.size < gap < 2.2 * row.size and abs(before.size - row.size) < 0.5:
            gaps.setdefault(round(row.size), []).append(gap)
    usual = {size: sorted(found)[len(found) // 2] for size, found in gaps.items()}
    return lambda row: min(usual.get(round(row.size), 1.3 * row.size), 1.8 * row.size)


def _ratio(one: float, other: float) -> float:
    return max(one, other) / max(0.1, min(one, other))


def _tables(region: Sequence[Row]) -> frozenset[int]:
    """`id` of the rows of tables: two or more in a row with cells that begin or end below each other."""
    found: set[int] = set()
    for before, row in itertools.pairwise(region):
        if before.fixed and row.fixed:
            continue
        if before.cells > 1 and row.cells > 1 and _aligned(before, row):
            found |= {id(before), id(row)}
    return frozenset(found)


def _aligned(one: Row, other: Row) -> bool:
    """Whether a cell behind the first begins, ends or is centred where one of the other row does."""
    near = 0.5 * max(one.size, other.size)
    for a in one.segments[1:]:
        for b in other.segments[1:]:
            if abs(a.left - b.left) < near or abs(a.right - b.right) < near:
                return True
            if abs(a.left + a.right - b.left - b.right) < near:
                return True
    return False
