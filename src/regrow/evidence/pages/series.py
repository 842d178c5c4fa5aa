"""A figure over training steps."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Series:
    """A figure over training steps."""

    name: str
    steps: list[int]
    values: list[float]
    low: list[float] = field(default_factory=list)
    """ends of the 95 % interval, where there is one"""
    high: list[float] = field(default_factory=list)
