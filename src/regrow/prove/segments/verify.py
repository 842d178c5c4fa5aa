"""Carry out a challenge: rerun what was drawn and compare it with what was published."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow.evidence.record import Record
from regrow.prove.segments import chain, compare
from regrow.prove.segments.challenge import Challenge, Rerun
from regrow.prove.segments.compare import Compared
from regrow.prove.segments.replay import Replay
from regrow.prove.segments.states import States


@dataclass
class Hooks:
    """Whom to tell."""

    checked: Callable[[Record, list[str]], None] = lambda record, faults: None
    """a checkpoint's record, chain and stored state were examined"""
    begins: Callable[[Rerun], None] = lambda rerun: None
    compared: Callable[[Compared], None] = lambda compared: None


@dataclass(frozen=True)
class Verification:
    """A challenge, and what it takes to answer it."""

    replay: Replay
    what: Challenge
    scratch: Path
    hooks: Hooks = field(default_factory=Hooks)

    def answer(self) -> dict[str, Any]:
        """Examine every checkpoint without training, then rerun; stops at the first thing that differs.

        Returns:
            the challenge, `faults` by checkpoint, `results`, and `verdict`: `equal` or `differs`.

        Raises:
            Unanswerable: something needed is not on disk, or a step failed.
        """
        clock = time.monotonic()
        faults = self._faults()
        results = [] if faults else self._reruns()
        equal = not faults and all(result.equal for result in results)
        return {
            **self.what.as_json(),
            "faults": faults,
            "results": [result.as_json() for result in results],
            "verdict": "equal" if equal else "differs",
            "seconds": time.monotonic() - clock,
        }

    def _faults(self) -> dict[str, list[str]]:
        """By checkpoint, what contradicts itself."""
        ledger = self.replay.ledger
        faults: dict[str, list[str]] = {}
        for record in ledger.ancestry(self.what.run.checkpoint):
            found = (
                chain.faults(ledger, self.replay.verified, record)
                if record.makes_checkpoint
                else chain.record_faults(ledger, record)
            )
            if found:
                faults[record.name] = found
            if found or record.makes_checkpoint:
                self.hooks.checked(record, found)
        return faults

    def _reruns(self) -> list[Compared]:
        results = []
        for result in self._each():
            self.hooks.compared(result)
            results.append(result)
            if not result.equal:
                break
        return results

    def _each(self) -> Iterator[Compared]:
        """What is always rebuilt, then what was drawn."""
        for record in self.what.run.made:
            yield self._rebuilt(record)
        for rerun in self.what.reruns:
            self.hooks.begins(rerun)
            yield self._rerun(rerun)

    def _rebuilt(self, record: Record) -> Compared:
        clock = time.monotonic()
        made = self.replay.run(record, self.scratch / record.name)
        step = record.trained[1] if record.trained else 0
        result = Compared(record.name, step, step, files=compare.files(record, made))
        result.seconds = time.monotonic() - clock
        shutil.rmtree(made)
        return result

    def _rerun(self, rerun: Rerun) -> Compared:
        clock = time.monotonic()
        span = rerun.span
        output = self.scratch / f"{span.name}-{rerun.begin}"
        made = self.replay.run(span.record, output, step=rerun.end, start=rerun.state)
        result = compare.span(self.replay.verified, span, rerun.begin, rerun.end, made)
        result.seconds = time.monotonic() - clock
        shutil.rmtree(made)
        return result

    def hand_out(self, states: States) -> list[Path]:
        """The publisher's answer to a challenge: the states at which the drawn links begin.

        They are rebuilt from the stored states; what is there already is kept.

        Raises:
            Unanswerable: a state there, or one made, is not the published one.
        """
        made = []
        for unit in self.what.drawn:
            span = unit.span
            known = states.of(span)
            if unit.begin == span.begin or unit.begin in known:
                continue
            begin = max((step for step in known if step < unit.begin), default=span.begin)
            rerun = Rerun(span, begin, unit.begin, known.get(begin))
            self.hooks.begins(rerun)
            target = states.place(span, unit.begin)
            fresh = states.folder / "unfinished"
            shutil.rmtree(fresh, ignore_errors=True)
            self.replay.run(span.record, fresh, step=unit.begin, start=rerun.state)
            shutil.rmtree(fresh.with_name(fresh.name + ".scratch"), ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.rename(target)
            states.of(span)  # what is handed out must be what was published
            made.append(target)
        return made
