"""What a picture of the funnel shows: columns of sources, the largest apart, the others together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regrow.ask.funnel.steps import APART, HELD_OUT

MOST = 8
"""sources that get a colour of their own; the others are drawn as one"""
REASONS = 2
"""named below a drop"""
OTHER = MOST
"""the number of the colour of the others"""


@dataclass(frozen=True)
class Flow:
    """A source, or several together, at a step."""

    met: int
    kept: int
    held: int

    @property
    def lost(self) -> int:
        """Documents that were dropped and not held out."""
        return self.met - self.kept - self.held


@dataclass(frozen=True)
class Column:
    """A step: its flows by source group, and its reasons."""

    step: str
    flows: list[Flow]
    reasons: list[tuple[str, int]]
    """of losses, the largest first"""

    @property
    def total(self) -> Flow:
        """All sources together."""
        return Flow(
            *(sum(getattr(f, name) for f in self.flows) for name in ("met", "kept", "held"))
        )


@dataclass(frozen=True)
class Flows:
    """Names of the groups of sources with the number of their colour, and the columns."""

    names: list[tuple[str, int]]
    columns: list[Column]


def flows(answer: dict[str, Any]) -> Flows:
    """The flows of an answer of `regrow funnel`: steps that drop nothing are left out, but for the last.

    Where the tables are not on disk, the records' own sums are one group without a name.
    """
    steps = [one for one in answer["steps"] if one["step"] not in APART]
    shown = [one for one in steps if one["dropped"] or one is steps[-1]]
    if any(one["step"] not in part["steps"] for one in shown for part in answer["sources"][:1]):
        # A source that was emptied early has no later step, so the sums by source decide.
        whole = {n for part in answer["sources"] for n in part["steps"]}
        if not {one["step"] for one in shown} <= whole:
            return Flows([("all sources", 0)], [_column(one, [one]) for one in shown])
    if not answer["sources"]:
        return Flows([("all sources", 0)], [_column(one, [one]) for one in shown])
    groups, names = _groups(answer["sources"], shown)
    columns = []
    for one in shown:
        parts = [
            [s["steps"][one["step"]] for s in group if one["step"] in s["steps"]]
            for group in groups
        ]
        columns.append(
            Column(one["step"], [_flow(part) for part in parts], _column(one, [one]).reasons)
        )
    return Flows(names, columns)


def _groups(
    sources: list[dict[str, Any]], shown: list[dict[str, Any]]
) -> tuple[list[list[dict[str, Any]]], list[tuple[str, int]]]:
    """The sources in the order of what they brought, those behind the largest together."""

    def brought(source: dict[str, Any]) -> int:
        return max((source["steps"].get(one["step"], {}).get("in", 0) for one in shown), default=0)

    ranked = sorted((s for s in sources if brought(s)), key=lambda s: (-brought(s), s["source"]))
    few = len(ranked) <= MOST + 1
    large, rest = (ranked, []) if few else (ranked[:MOST], ranked[MOST:])
    groups = [[one] for one in large]
    names = [(one["source"], min(at, OTHER)) for at, one in enumerate(large)]
    if rest:
        groups.append(rest)
        names.append((f"{len(rest)} others", OTHER))
    return groups, names


def _column(step: dict[str, Any], parts: list[dict[str, Any]]) -> Column:
    reasons = [(r["reason"], r["documents"]) for r in step["reasons"] if r["reason"] != HELD_OUT]
    return Column(step["step"], [_flow(parts)], reasons)


def _flow(parts: list[dict[str, Any]]) -> Flow:
    held = sum(r["documents"] for p in parts for r in p["reasons"] if r["reason"] == HELD_OUT)
    return Flow(sum(p["in"] for p in parts), sum(p["kept"] for p in parts), held)
