"""What each stage gained, as the page shows it: the rows of `regrow evals --gains`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regrow.ask.evals.gains import gains as rows
from regrow.ask.evals.read import Evaluations
from regrow.evidence.ledger import Ledger
from regrow.publish.report.results import Figure


@dataclass(frozen=True)
class Gain:
    """One measure of a stage, before and after it."""

    stage: str
    metric: str
    title: str
    better: str
    """`higher` or `lower`"""
    before: Figure
    after: Figure
    paired: Figure
    """after - before, over the items that both have"""
    seeds: int
    per_seed: tuple[tuple[int, float], ...]
    """seed, difference"""
    control: Figure | None
    """of a run that got everything but what the stage is about"""
    apart: Figure | None
    """after - control, paired"""
    survives: bool
    """whether the gain is a gain over the control, too"""
    note: str
    ignored: tuple[tuple[int, str], ...] = ()
    """seeds that are not averaged, and why"""

    @property
    def verdict(self) -> str:
        """`gain`, `loss`, or `even` where the paired interval does not say."""
        return verdict(self.paired, self.better)

    @property
    def against_control(self) -> str:
        """The verdict on the difference to the control."""
        return verdict(self.apart, self.better) if self.apart else ""


def verdict(difference: Figure, better: str) -> str:
    """What a difference with its interval says."""
    sign = 1 if better == "higher" else -1
    low, high = sorted((sign * difference.low, sign * difference.high))
    return "gain" if low > 0 else "loss" if high < 0 else "even"


def gains(ledger: Ledger) -> dict[str, list[Gain]]:
    """Stage -> its measures, the headline first."""
    found: dict[str, list[Gain]] = {}
    for row in rows(Evaluations(ledger)):
        found.setdefault(row["stage"], []).append(_gain(row))
    return found


def _gain(row: dict[str, Any]) -> Gain:
    control = row.get("control")
    better = row["better"]
    return Gain(
        row["stage"],
        row["metric"],
        row["title"],
        better,
        _figure(row["before"], better),
        _figure(row["after"], better),
        _figure({**row["paired"], "items": row["items"]}, better),
        int(row["seeds"]),
        tuple((each["seed"], each["paired"]["value"]) for each in row.get("per_seed", ())),
        _figure(control, better) if control else None,
        _figure(control["paired"], better) if control else None,
        bool(control and control["survives"]),
        row.get("note", ""),
        tuple((each["seed"], each["why"]) for each in row.get("ignored", ())),
    )


def _figure(found: dict[str, Any], better: str) -> Figure:
    return Figure(found["value"], found["low"], found["high"], int(found.get("items", 0)), better)
