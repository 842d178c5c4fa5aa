"""What a verification costs, against the run: in training steps, and in seconds of the run log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regrow.engine.runlog import PATH
from regrow.evidence.record import Record
from regrow.prove.segments.units import Run, Span


@dataclass(frozen=True)
class Price:
    """Of some steps of some spans."""

    steps: int
    of_steps: int
    seconds: float | None
    """expected on the machine of the run log; None: it says nothing about the run"""
    of_seconds: float | None
    """of all training of the run, checkpoints without steps included"""
    whole_seconds: float | None = None
    """of every job in the ancestry, data steps included"""

    @property
    def share(self) -> float:
        """Of the training: by seconds where they are known, since steps differ, else by steps."""
        if self.seconds is not None and self.of_seconds:
            return self.seconds / self.of_seconds
        return self.steps / self.of_steps if self.of_steps else 0.0


def logged(root: Path, records: Iterable[Record]) -> dict[str, float]:
    """Record name -> seconds that its job ran, from the run log, by step key; the last run counts."""
    keys = {record.key: record.name for record in records}
    found: dict[str, float] = {}
    try:
        lines = (root / PATH).read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            row = json.loads(line)
            name = keys.get(row["key"])
            if name and row["outcome"] == "run":
                found[name] = float(row["seconds"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


def price(run: Run, pieces: Iterable[tuple[Span, int]], seconds: Mapping[str, float]) -> Price:
    """The price of `pieces` (span, steps of it), and of what is always rebuilt."""
    parts = list(pieces)
    known = all(record.name in seconds for record in run.checkpoints)
    cost = None
    if known:
        cost = sum(seconds[r.name] for r in run.made)
        cost += sum(seconds[span.name] * steps / span.steps for span, steps in parts)
    return Price(
        steps=sum(steps for _, steps in parts),
        of_steps=run.steps,
        seconds=cost,
        of_seconds=sum(seconds[r.name] for r in run.checkpoints) if known else None,
        whole_seconds=(
            sum(seconds[r.name] for r in run.ancestry)
            if all(r.name in seconds for r in run.ancestry)
            else None
        ),
    )
