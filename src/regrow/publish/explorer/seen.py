"""Which steps of which stages saw each document: what `regrow trace` answers for one, for all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.run import Run


@dataclass
class Seen:
    """One document in the run of one stage."""

    stage: str
    checkpoint: str
    """up to which the stage is counted"""
    steps: list[int] = field(default_factory=list)
    """ascending, each once, from 1; []: packed, but not reached"""
    tokens: int = 0
    """of it, repeats counted"""

    def entry(self) -> dict[str, Any]:
        """As `trace.answer.fate` wants it."""
        return {
            "stage": self.stage,
            "checkpoint": self.checkpoint,
            "steps": self.steps,
            "tokens": self.tokens,
            "instances": True,
        }


Owners = Callable[[str, str], Iterable[str]]
"""data job, id in its stream -> the ids of the documents that it is, or was made from"""


def seen(runs: Iterable[Run], owners: Owners) -> dict[str, list[Seen]]:
    """Document id -> what the runs over packed sequences saw of it, in the order of training."""
    found: dict[str, list[Seen]] = {}
    for run in runs:
        if not isinstance(run, Packs):
            continue  # tables of examples, pairs and rollouts hold tasks, not documents
        for id, entry in _of_run(run, owners).items():
            found.setdefault(id, []).append(entry)
    return found


def _of_run(run: Packs, owners: Owners) -> dict[str, Seen]:
    found = _of_part(run, owners)
    if run.before is None:
        return found
    for id, entry in _of_run(run.before, owners).items():
        mine = found.setdefault(id, Seen(run.stage, run.checkpoint.name))
        mine.tokens += entry.tokens
        mine.steps = sorted({*entry.steps, *mine.steps})
    return found


def _of_part(run: Packs, owners: Owners) -> dict[str, Seen]:
    """The part of a run that was trained on one data job."""
    steps_of: dict[int, list[int]] = {}
    since = run.since * run.batch
    trained = run.order.at(since, run.last_step * run.batch - since).tolist()
    for position, sequence in enumerate(trained, since):
        steps_of.setdefault(sequence, []).append(position // run.batch + 1)
    met: dict[str, set[int]] = {}
    found: dict[str, Seen] = {}
    for sequence in range(run.pack.sequences):
        steps = steps_of.get(sequence, [])
        for piece in run.pack.documents_of_sequence(sequence):
            for id in owners(run.data, piece.id):
                entry = found.setdefault(id, Seen(run.stage, run.checkpoint.name))
                entry.tokens += len(steps) * (piece.end - piece.start)
                met.setdefault(id, set()).update(steps)
    for id, reached in met.items():
        found[id].steps = sorted(reached)
    return found
