"""A challenge: which units of a run are rerun, from which states, at what price and odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.prove.segments import odds
from regrow.prove.segments.draw import Sample
from regrow.prove.segments.price import Price, price
from regrow.prove.segments.states import States
from regrow.prove.segments.units import Kind, Run, Span, Unit

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5)
"""forged shares for which the odds are said"""


@dataclass(frozen=True)
class Rerun:
    """Training steps to be done in one go: from a stored or handed out state to a link."""

    span: Span
    begin: int
    end: int
    state: Path | None
    """handed out; None: the stored one"""

    @property
    def steps(self) -> int:
        """Training steps."""
        return self.end - self.begin

    def covers(self, unit: Unit) -> bool:
        """Whether a unit is done in this rerun."""
        inside = self.begin <= unit.begin and unit.end <= self.end
        return unit.span is self.span and inside


@dataclass(frozen=True)
class Challenge:
    """What will be done, said before it is."""

    run: Run
    kind: Kind
    seed: str
    population: int
    drawn: tuple[Unit, ...]
    reruns: tuple[Rerun, ...]
    price: Price
    share: float
    """the forged share that was asked about"""
    stretch: int | None = None
    """every so many units one was drawn, so an unbroken forgery of as many is caught for certain"""

    def odds(self, share: float) -> float:
        """Of catching a forgery of a share of the units, at least; it may be scattered."""
        wrong = odds.forged(self.population, share)
        if self.stretch is None:
            return odds.odds(self.population, wrong, len(self.drawn))
        return odds.comb_odds(self.population, self.stretch, wrong)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        wrong = odds.forged(self.population, self.share)
        return {
            "checkpoint": self.run.checkpoint.name,
            "sha256": self.run.checkpoint.sha256,
            "unit": self.kind,
            "population": self.population,
            "drawn": [unit.name for unit in self.drawn],
            "seed": self.seed,
            "always": [record.name for record in self.run.made],
            "reruns": [
                {
                    "checkpoint": r.span.name,
                    "begin": r.begin,
                    "end": r.end,
                    "handed_out": bool(r.state),
                }
                for r in self.reruns
            ],
            "price": {
                "steps": self.price.steps,
                "of_steps": self.price.of_steps,
                "seconds": self.price.seconds,
                "of_seconds": self.price.of_seconds,
                "whole_seconds": self.price.whole_seconds,
                "share": self.price.share,
            },
            "catch": {"share": self.share, "units": wrong, "odds": self.odds(self.share)},
            "stretch": self.stretch,
            "odds": {str(share): self.odds(share) for share in SHARES},
        }


def challenge(
    run: Run, sample: Sample, seconds: Mapping[str, float], states: States | None = None
) -> Challenge:
    """Draw the units and lay out the reruns.

    Args:
        run: what is checked.
        sample: how much of it.
        seconds: that the jobs took, by record, as far as it is known.
        states: handed out for it.

    Raises:
        Unanswerable: nothing to draw, or numbers that make no sense.
    """
    units = run.units(sample.kind)
    if not units:
        raise Unanswerable(
            f"{run.checkpoint.name} has no training behind it: its {len(run.made)} checkpoint(s) are "
            "rebuilt for nothing. Name a later checkpoint."
        )
    chosen = sample.of([unit.name for unit in units], run.checkpoint.sha256)
    drawn = tuple(units[index] for index in chosen)
    reruns = lay_out(drawn, states)
    return Challenge(
        run,
        sample.kind,
        sample.seed,
        len(units),
        drawn,
        reruns,
        price(run, [(rerun.span, rerun.steps) for rerun in reruns], seconds),
        sample.share,
        sample.wrong(len(units)) if sample.stretch else None,
    )


def lay_out(drawn: tuple[Unit, ...], states: States | None) -> tuple[Rerun, ...]:
    """The fewest training steps that cover the drawn units.

    A unit is begun from the last stored or handed out state at or before it; units of one span
    that overlap on the way are done in one go.
    """
    found: list[Rerun] = []
    known: dict[str, dict[int, Path]] = {}
    for unit in drawn:
        span = unit.span
        if span.name not in known:
            known[span.name] = states.of(span) if states else {}
        here = {step: path for step, path in known[span.name].items() if step <= unit.begin}
        begin = max(here, default=span.begin)
        last = found[-1] if found else None
        if last and last.span is span and begin < last.end:
            found[-1] = Rerun(span, last.begin, max(last.end, unit.end), last.state)
        else:
            found.append(Rerun(span, begin, unit.end, here.get(begin)))
    return tuple(found)
