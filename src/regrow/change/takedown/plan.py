"""The cheapest exact rebuild: which artifacts keep their key, which are rebuilt, at which price."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.engine import runlog
from regrow.engine.jobs import job_of
from regrow.engine.present import Present
from regrow.evidence.ledger import Ledger


def plan(present: Present, ledger: Ledger) -> dict[str, Any]:
    """How a takedown stands to what is there.

    `kept`: jobs with the inputs of their record, down to the sources, so with its key. `anew`: the others; under
    the depth `everything` fewer, where outputs come out as they were. `cpu_seconds`: of a past run of the same
    jobs (`anew`, and of all: `whole`), None where the run log knows none of them; `unpriced`: jobs that it does
    not know. `aside`: repetitions under other seeds that are no longer what the params mean.
    """
    jobs = list(present.jobs.values())
    anew: set[str] = set()
    for job in jobs:  # producers come first
        record = ledger.by_name.get(job.name)
        before = {
            name: job_of(entry["record"])
            for name, entry in (record.inputs if record else {}).items()
            if entry.get("record")
        }
        now = {item.name: item.job for item in job.inputs if item.job}
        if record is None or before != now or anew.intersection(job.upstream):
            anew.add(job.name)
    names = [job.name for job in jobs if job.step.group == "main"]
    others = [job.name for job in jobs if job.step.group != "main" and job.name in anew]
    prices = _prices(present.root)
    made = [name for name in names if name in anew]

    def sum_of(which: list[str]) -> float | None:
        known = [prices[name] for name in which if name in prices]
        return round(sum(known), 1) if known else None

    return {
        "kept": [name for name in names if name not in anew],
        "anew": made,
        "cpu_seconds": {"anew": sum_of(made), "whole": sum_of(names)},
        "aside": [name for name in others if name in ledger.by_name],
        "unpriced": [name for name in made if name not in prices],
    }


def _prices(root: Path) -> dict[str, float]:
    """CPU seconds of the last run of each job, from the run log."""
    try:
        lines = (root / runlog.PATH).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        row = json.loads(line)
        if row.get("outcome") == "run":
            name = row["step"] if row["instance"] is None else f"{row['step']}.{row['instance']}"
            found[name] = float(row["cpu_seconds"])
    return found
