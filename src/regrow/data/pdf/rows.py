"""Segments of one frame to rows: those that stand on one line of the page, from left to right."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from regrow.data.pdf.segments import Segment
from regrow.data.pdf.spelling import HYPHEN

_SAME = 0.5
"""share of the smaller segment's height that two segments of a row have in common"""
_SPACE = 0.12
"""ems between two segments that have a space between them"""
CELL = 1.3
"""ems: as far apart as cells of a table are"""


@dataclass(frozen=True)
class Row:
    """A line of text."""

    segments: tuple[Segment, ...]
    """in the order of reading"""

    @cached_property
    def left(self) -> float:
        """Where it begins."""
        return min(one.left for one in self.segments)

    @cached_property
    def right(self) -> float:
        """Where it ends."""
        return max(one.right for one in self.segments)

    @cached_property
    def main(self) -> Segment:
        """Its longest segment, which says its baseline and size."""
        return max(self.segments, key=lambda one: (len(one.text), one.size))

    @property
    def base(self) -> float:
        """Its baseline."""
        return self.main.base

    @property
    def size(self) -> float:
        """Of its font."""
        return self.main.size

    @cached_property
    def fixed(self) -> bool:
        """Whether it is in fonts of fixed pitch, but for a few marks."""
        fixed = sum(len(one.text) for one in self.segments if one.fixed)
        return fixed >= 0.75 * sum(len(one.text) for one in self.segments)

    @cached_property
    def text(self) -> str:
        """Its text; a mark of a hyphen only at its end."""
        return self.joined(" ")

    def joined(self, cell: str) -> str:
        """Its text, with `cell` where segments are as far apart as cells."""
        parts: list[str] = []
        before: Segment | None = None
        for one in self.segments:
            if before is not None:
                apart = max(one.left - before.right, before.left - one.right)
                size = max(one.size, before.size)
                parts[-1] = parts[-1].replace(HYPHEN, "-")
                parts.append(cell if apart > CELL * size else " " if apart > _SPACE * size else "")
            parts.append(one.text)
            before = one
        return "".join(parts)

    @cached_property
    def cells(self) -> int:
        """How many cells of a table it could be."""
        return self.joined("\t").count("\t") + 1


def rows(segments: Iterable[Segment]) -> list[Row]:
    """The rows of segments that no gutter parts, from top to bottom.

    A segment belongs to the row whose height it shares, so that a superscript that the file draws by itself stays
    in its line.
    """
    found: list[list[Segment]] = []
    by_size = sorted(segments, key=lambda one: (-one.base, one.left, one.text))
    for one in by_size:
        best, share = None, _SAME
        for held in reversed(found[-6:]):
            common = max(_common(one, other) for other in held)
            if common > share:
                best, share = held, common
        if best is None:
            found.append([one])
        else:
            best.append(one)
    made = [Row(tuple(_in_order(held))) for held in found]
    return sorted(made, key=lambda row: (-row.base, row.left))


def _common(one: Segment, other: Segment) -> float:
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    overlaid = min(one.right, other.right) - max(one.left, other.left) > 0.5 * min(
        one.right - one.left, other.right - other.left
    )
    return 0.0 if overlaid else shared / min(one.size, other.size)


def _in_order(held: Sequence[Segment]) -> list[Segment]:
    leftwards = to_the_left("".join(one.text for one in held))
    return sorted(held, key=lambda one: (-one.right if leftwards else one.left, one.text))


def to_the_left(text: str) -> bool:
    """Whether most letters belong to a script that is written from right to left."""
    balance = 0
    for letter in text[:2_000]:
        if letter > "\u0590":
            kind = unicodedata.bidirectional(letter)
            balance += 1 if kind in ("R", "AL") else -1 if kind == "L" else 0
        elif letter.isalpha():
            balance -= 1
    return balance > 0
