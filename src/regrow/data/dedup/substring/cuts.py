"""What is cut out of a text, by the marks of its windows.

Source: OLMo 3, section 3.4.1 and appendix A.2.2: strings of at least 500 bytes that come again; a whole span goes that is
bounded by such strings and that they cover to 80 %.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.substring.repeats import AGAIN, FIRST

Span = tuple[int, int]


def spans(data: bytes, marks: NDArray[np.uint8], size: int, share: float) -> list[Span]:
    """The spans of bytes (begin, end) that are cut: ascending, apart from each other, at boundaries of UTF-8 characters.

    No byte of a window that is the first of its kind is among them.

    Args:
        data: the text.
        marks: of the windows that begin at each byte.
        size: bytes of a window.
        share: of a span that repeated strings cover.
    """
    again = joined(_runs(_covered(marks == AGAIN, size)), share)
    cut = np.zeros(len(data), bool)
    for begin, end in again.tolist():
        cut[begin:end] = True
    cut &= ~_covered(marks == FIRST, size)
    found = []
    for begin, end in _runs(cut).tolist():
        while begin < end and _continues(data, begin):
            begin += 1
        while begin < end < len(data) and _continues(data, end):
            end -= 1
        if begin < end:
            found.append((begin, end))
    return found


def joined(runs: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Spans from the begin of a run to the end of a run that runs cover to `share`, those that touch as one.

    Args:
        runs: (begin, end), ascending and apart.

    Every run is such a span. A gap goes if any span over it is: with c(x) bytes covered before x, a span from a to b is if
    c(b) - share b >= c(a) - share a, so the greatest such value behind the gap is compared with the least before it.
    """
    if len(runs) < 2:
        return runs
    limit = Fraction(share).limit_denominator(10_000)
    begins, ends = runs.T
    after = np.cumsum(ends - begins)
    before = after - (ends - begins)
    least = np.minimum.accumulate(limit.denominator * before - limit.numerator * begins)
    reached = limit.denominator * after - limit.numerator * ends
    greatest = np.maximum.accumulate(reached[::-1])[::-1]
    apart = greatest[1:] < least[:-1]
    return np.stack([begins[np.append(True, apart)], ends[np.append(apart, True)]], axis=1)


def without(data: bytes, cut: list[Span]) -> bytes:
    """A text without its spans."""
    begins, ends = [0, *(end for _, end in cut)], [*(begin for begin, _ in cut), len(data)]
    return b"".join(data[begin:end] for begin, end in zip(begins, ends, strict=True))


def _covered(starts: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """The bytes that are in a window that begins where `starts` says."""
    sums = np.cumsum(starts, dtype=np.int64)
    inside = sums.copy()
    inside[size:] -= sums[:-size]
    return inside > 0


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Begin and end of each run of flags that are set: (runs, 2)."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges.reshape(-1, 2)


def _continues(data: bytes, at: int) -> bool:
    return data[at] & 0xC0 == 0x80
