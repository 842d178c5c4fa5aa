"""Numbers of lines in the margin, as drafts and laws have them: they belong to no line of the text."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from regrow.data.pdf.segments import Segment

_LEAST = 6
"""numbers that follow each other on a page"""
_STEPS = (1, 2, 5, 10)
_NEAR = 2.0
"""points"""


def in_margin(segments: Sequence[Segment]) -> frozenset[int]:
    """`id` of the segments that number lines: whole numbers below each other, which grow by one step, in a margin.

    A margin has no text in it: nothing else begins at the left of the numbers, or ends at their right.
    """
    numbers = [one for one in segments if one.text.isascii() and one.text.isdigit() and len(one.text) < 6]  # fmt: skip
    if len(numbers) < _LEAST:
        return frozenset()
    held = {id(one) for one in numbers}
    others = [one for one in segments if id(one) not in held]
    if not others:
        return frozenset()
    found: set[int] = set()
    for column in (*_columns(numbers, "left"), *_columns(numbers, "right")):
        begin, end = min(one.left for one in column), max(one.right for one in column)
        top, bottom = max(one.top for one in column), min(one.bottom for one in column)
        beside = [one for one in others if bottom <= one.base <= top]
        inside = sum(one.left < end and one.right > begin for one in beside)
        left = sum(one.left < begin for one in beside)
        right = sum(one.right > end for one in beside)
        if inside == 0 and min(left, right) <= 0.02 * len(beside) and _counts(column):
            found |= set(map(id, column))
    return frozenset(found)


def _columns(numbers: Iterable[Segment], side: str) -> list[list[Segment]]:
    """Numbers whose left, or right, ends are below each other."""
    found: list[list[Segment]] = []
    for one in sorted(numbers, key=lambda n: (getattr(n, side), -n.base)):
        if found and getattr(one, side) - getattr(found[-1][0], side) <= _NEAR:
            found[-1].append(one)
        else:
            found.append([one])
    return [column for column in found if len(column) >= _LEAST]


def _counts(column: Sequence[Segment]) -> bool:
    values = [int(one.text) for one in sorted(column, key=lambda n: -n.base)]
    steps = [b - a for a, b in itertools.pairwise(values)]
    usual = max(_STEPS, key=steps.count)
    return steps.count(usual) >= 0.9 * len(steps)
