"""Carry out a challenge: rerun what was drawn and compare it with what was published."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.prove.segments import chain, compare, replay, states
from regrow.prove.segments.challenge import Challenge, Rerun
from regrow.prove.segments.compare import Compared
from regrow.prove.segments.verified_files import VerifiedFiles


@dataclass
class Hooks:
    """Whom to tell."""

    checked: Callable[[Record, list[str]], None] = lambda record, faults: None
    """a checkpoint's record, chain and stored state were examined"""
    begins: Callable[[Rerun], None] = lambda rerun: None
    compared: Callable[[Compared], None] = lambda compared: None


def verify(
    ledger: Ledger,
    verified: VerifiedFiles,
    what: Challenge,
    scratch: Path,
    hooks: Hooks | None = None,
) -> dict[str, Any]:
    """Examine every checkpoint without training, then rerun; stops at the first thing that differs.

    Returns:
        the challenge, `faults` by checkpoint, `results`, and `verdict`: `equal` or `differs`.

    Raises:
        Unanswerable: something needed is not on disk, or a step failed.
    """
    hooks = hooks or Hooks()
    clock = time.monotonic()
    faults: dict[str, list[str]] = {}
    for record in ledger.ancestry(what.run.checkpoint):
        found = (
            chain.faults(ledger, verified, record)
            if record.makes_checkpoint
            else chain.record_faults(ledger, record)
        )
        if found:
            faults[record.name] = found
        if found or record.makes_checkpoint:
            hooks.checked(record, found)
    results: list[Compared] = []
    if not faults:
        results = _reruns(ledger, verified, what, scratch, hooks)
    equal = not faults and all(result.equal for result in results)
    return {
        **what.as_json(),
        "faults": faults,
        "results": [result.as_json() for result in results],
        "verdict": "equal" if equal else "differs",
        "seconds": time.monotonic() - clock,
    }


def _reruns(
    ledger: Ledger, verified: VerifiedFiles, what: Challenge, scratch: Path, hooks: Hooks
) -> list[Compared]:
    results = []
    for record in what.run.made:
        clock = time.monotonic()
        made = replay.run(replay.task(ledger, verified, record, scratch / record.name))
        step = record.trained[1] if record.trained else 0
        result = Compared(record.name, step, step, files=compare.files(record, made))
        result.seconds = time.monotonic() - clock
        shutil.rmtree(made)
        hooks.compared(result)
        results.append(result)
        if not result.equal:
            return results
    for rerun in what.reruns:
        hooks.begins(rerun)
        result = once(ledger, verified, rerun, scratch)
        hooks.compared(result)
        results.append(result)
        if not result.equal:
            break
    return results


def once(ledger: Ledger, verified: VerifiedFiles, rerun: Rerun, scratch: Path) -> Compared:
    """Do one rerun and compare it. Raises Unanswerable: see `replay.run`."""
    clock = time.monotonic()
    span = rerun.span
    output = scratch / f"{span.name}-{rerun.begin}"
    made = replay.run(
        replay.task(ledger, verified, span.record, output, step=rerun.end, start=rerun.state)
    )
    result = compare.span(verified, span, rerun.begin, rerun.end, made)
    result.seconds = time.monotonic() - clock
    shutil.rmtree(made)
    return result


def hand_out(
    ledger: Ledger,
    verified: VerifiedFiles,
    what: Challenge,
    folder: Path,
    hooks: Hooks | None = None,
) -> list[Path]:
    """The publisher's answer to a challenge: the states at which the drawn links begin.

    They are rebuilt from the stored states, into `folder`; what is there already is kept.

    Raises:
        Unanswerable: a state there, or one made, is not the published one.
    """
    hooks = hooks or Hooks()
    made = []
    for unit in what.drawn:
        span = unit.span
        known = states.handed_out(folder, span)
        if unit.begin == span.begin or unit.begin in known:
            continue
        begin = max((step for step in known if step < unit.begin), default=span.begin)
        rerun = Rerun(span, begin, unit.begin, known.get(begin))
        hooks.begins(rerun)
        target = states.place(folder, span, unit.begin)
        fresh = folder / "unfinished"
        shutil.rmtree(fresh, ignore_errors=True)
        replay.run(
            replay.task(ledger, verified, span.record, fresh, step=unit.begin, start=rerun.state)
        )
        shutil.rmtree(fresh.with_name(fresh.name + ".scratch"), ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(target)
        states.handed_out(folder, span)  # what is handed out must be what was published
        made.append(target)
    return made
