"""The first link at which two runs differ, by their chains: a binary search that reads few files.

Links are chained within a stage and from a stage to the next: equal chains mean an equal past. So
the search goes back from the two checkpoints, stage by stage, and within a stage by halves.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.prove.segments.links import Link
from regrow.prove.segments.sides import Side
from regrow.release.history import WEIGHTS

PARENTS = tuple(name for name in WEIGHTS if name != "previous")
"""inputs that are checkpoints of a stage before"""


@dataclass(frozen=True)
class Parting:
    """Where two runs part."""

    left: Record
    right: Record
    """the checkpoints whose spans hold the first link that differs"""
    before: int
    """step of the last link that is equal, in the stage; 0: the stage's beginning"""
    step: int
    """of the first link that differs"""
    tensors: list[str]
    """that differ there, by their short digests; none: only the position does"""


def locate(left: Side, right: Side) -> Parting | None:
    """The first link at which two runs of one stage differ; None if their chains are equal.

    Raises:
        Unanswerable: they are of different kinds of stage, or have no link in common.
    """
    return _locate(left, right, left.record, right.record)


def _locate(left: Side, right: Side, ours: Record, theirs: Record) -> Parting | None:
    if left.links(ours)[-1]["chain"] == right.links(theirs)[-1]["chain"]:
        return None
    lines = _line(left, ours), _line(right, theirs)
    for name in PARENTS:
        parents = left.parent(lines[0][0], name), right.parent(lines[1][0], name)
        if parents[0] is None or parents[1] is None:
            continue
        earlier = _locate(left, right, parents[0], parents[1])
        if earlier is not None:
            return earlier
    return _within(left, right, *lines)


def _line(side: Side, record: Record) -> list[Record]:
    """The checkpoints of a stage up to one, the first first."""
    found = [record]
    while (before := side.parent(found[0], "previous")) is not None:
        found.insert(0, before)
    return found


def _within(left: Side, right: Side, ours: list[Record], theirs: list[Record]) -> Parting:
    """The first link that differs in a stage that began alike."""
    same = [r.instance for r in ours] == [r.instance for r in theirs]
    if same:  # a chain at a checkpoint stands for all links before it: only some need be read
        at = bisect_left(
            range(len(ours)),
            True,
            key=lambda i: left.links(ours[i])[-1]["chain"] != right.links(theirs[i])[-1]["chain"],
        )
        if at < len(ours):
            ours, theirs = ours[max(0, at - 1) : at + 1], theirs[max(0, at - 1) : at + 1]
    mine, other = _by_step(left, ours), _by_step(right, theirs)
    steps = sorted(mine.keys() & other.keys())
    # Chains of links at other steps cannot be compared, and digests of states need not differ for
    # ever: then every common link is looked at.
    differs = [mine[step][0]["digest"] != other[step][0]["digest"] for step in steps]
    first = differs.index(True) if True in differs else None
    if first is None:
        ends = ours[-1].trained, theirs[-1].trained
        raise Unanswerable(
            f"{left.label} and {right.label} have no common link that differs; they end at "
            f"{ends[0]} and {ends[1]}. Name two checkpoints of one step."
        )
    step = steps[first]
    (one, record), (two, opposite) = mine[step], other[step]
    names = one["tensors"].keys() | two["tensors"].keys()
    tensors = sorted(n for n in names if one["tensors"].get(n) != two["tensors"].get(n))
    return Parting(record, opposite, steps[first - 1] if first else 0, step, tensors)


def _by_step(side: Side, records: list[Record]) -> dict[int, tuple[Link, Record]]:
    return {int(link["step"]): (link, record) for record in records for link in side.links(record)}
