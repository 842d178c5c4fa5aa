"""Quality percentiles and buckets within a topic, in integers.

Percentiles count bytes, not documents: a topic's curve promises tokens, and a play is a
thousand times a stub. The percentile of a document is that of its middle byte.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    """Order one topic's documents by quality (ties by id) and cut them into equal buckets.

    Args:
        ids, quality, sizes: of the documents; sizes in bytes, at least 1 each.
        buckets: how many; those that no document's middle falls into do not come back.

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
    for i in order:
        twice_middle = 2 * before + sizes[i]
        percentiles[i] = twice_middle / (2 * total)
        number = buckets * twice_middle // (2 * total)
        members.setdefault(number, []).append(i)
        start = ends.get(number, (before, 0))[0]
        before += sizes[i]
        ends[number] = (start, before)
    return percentiles, [
        Bucket(n, ends[n][0] / total, ends[n][1] / total, members[n]) for n in sorted(members)
    ]
