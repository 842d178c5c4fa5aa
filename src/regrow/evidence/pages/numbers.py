"""Numbers as pages write them."""

from __future__ import annotations


def size(value: float | None) -> str:
    """Bytes for people: 1.2 MB."""
    if value is None:
        return "–"
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def count(value: int | None) -> str:
    """A number with thousands separated."""
    return "–" if value is None else f"{value:,}"
