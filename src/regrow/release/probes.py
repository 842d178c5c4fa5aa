"""The probes of an evaluation as rows of a table, whatever each of them measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FAMILIES = ".families."
"""in the name of a figure that is about one family of items"""
_VALUES = ("value", "mean", "rate", "accuracy")
_COUNTS = ("items", "n", "count", "prompts", "documents", "pairs")


@dataclass(frozen=True)
class Probe:
    """One figure of one probe."""

    name: str
    """probe and figure, joined by dots"""
    value: float
    low: float | None = None
    """ends of the 95 % interval"""
    high: float | None = None
    items: int | None = None
    """that it was measured on"""


def probes(results: Mapping[str, Any]) -> list[Probe]:
    """The figures below `probes` in `results.json` that have an interval, in the order of names."""
    found = results.get("probes")
    return list(_walk(found, ())) if isinstance(found, Mapping) else []


def _walk(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Probe]:
    value = next((node[name] for name in _VALUES if _number(node.get(name))), None)
    if value is not None and _number(node.get("low")) and _number(node.get("high")):
        items = next((node[name] for name in _COUNTS if isinstance(node.get(name), int)), None)
        yield Probe(".".join(path), value, node["low"], node["high"], items)
    for name in sorted(node):
        if isinstance(node[name], Mapping):
            yield from _walk(node[name], (*path, str(name)))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
