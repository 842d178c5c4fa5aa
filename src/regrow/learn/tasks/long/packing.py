"""Best-fit-decreasing packing of pieces of documents into sequences.

Ding et al., "Fewer Truncations Improve Language Modeling" (ICML 2024), which Olmo 3's
long-context stage uses: a document longer than a sequence is cut into full sequences and a
rest; all pieces, longest first, go into the fullest sequence that still has room for them.
Nothing loses its beginning, and nothing is cut in two to fill a gap.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


def best_fit(sizes: Sequence[int], length: int) -> list[list[int]]:
    """Bins of positions in `sizes`, in the order in which they were opened; none overflows.

    Of equal sizes the one given first is placed first; of equally full bins the one opened first
    is taken. Within a bin, pieces stand in the order in which they were placed.

    Raises:
        ValueError: a size outside 1 .. length.
    """
    for size in sizes:
        if not 0 < size <= length:
            raise ValueError(f"a piece of {size} tokens does not fit a sequence of {length}")
    bins: list[list[int]] = []
    rooms: list[tuple[int, int]] = []
    """(room, bin) of bins that are not full, sorted"""
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        at = bisect_left(rooms, (sizes[i], 0))
        if at < len(rooms):
            room, number = rooms.pop(at)
        else:
            room, number = length, len(bins)
            bins.append([])
        bins[number].append(i)
        if room > sizes[i]:
            insort(rooms, (room - sizes[i], number))
    return bins


def fullest(bins: list[list[int]], sizes: Sequence[int], n: int) -> list[list[int]]:
    """The n bins that hold most tokens (earlier ones among equals), in their own order."""
    filled = [sum(sizes[i] for i in members) for members in bins]
    kept = sorted(sorted(range(len(bins)), key=lambda i: (-filled[i], i))[:n])
    return [bins[i] for i in kept]
