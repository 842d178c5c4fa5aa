"""Quality percentiles and buckets within a topic, in integers.

Percentiles count bytes, not documents: a topic's curve promises tokens, and a play is a
thousand times a stub. The percentile of a document is that of its middle byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Bucket:
    """Documents that lie side by side in the order of quality, and the percentiles they span."""

    number: int
    """0 is the worst"""
    start: float
    end: float
    members: list[int]
    """positions in the lists given to `cut`"""


def cut(
    ids: list[str], quality: list[float], sizes: list[int], buckets: int
) -> tuple[list[float], list[Bucket]]:
    """Order one topic's documents by quality and cut them into equal buckets.

    Documents of equal quality stay together: they have one percentile, that of the middle of their
    bytes, and one bucket. So nothing but quality decides, and where there are no scores there
    is one bucket of all.

    Args:
        ids, quality, sizes: of the documents; sizes in bytes, at least 1 each.
        buckets: how many; those that no middle falls into do not come back.

    Returns:
        The percentile of each document, and the buckets from worst to best. Spans are those of
        the documents' bytes, so they tile 0 .. 1 and the rates' mean over all bytes is exact.
    """
    order = sorted(range(len(ids)), key=lambda i: (quality[i], ids[i]))
    total = sum(sizes)
    percentiles = [0.0] * len(ids)
    members: dict[int, list[int]] = {}
    ends: dict[int, tuple[int, int]] = {}
    before = 0
    for _, equal in groupby(order, key=lambda i: quality[i]):
        group = list(equal)
        size = sum(sizes[i] for i in group)
        twice_middle = 2 * before + size
        number = buckets * twice_middle // (2 * total)
        for i in group:
            percentiles[i] = twice_middle / (2 * total)
        members.setdefault(number, []).extend(group)
        start = ends.get(number, (before, 0))[0]
        before += size
        ends[number] = (start, before)
    return percentiles, [
        Bucket(n, ends[n][0] / total, ends[n][1] / total, members[n]) for n in sorted(members)
    ]
