"""The records that were made under given params: what they say is known of a recipe before it runs."""

from __future__ import annotations

import json
from typing import Any

from regrow.engine import jobs
from regrow.engine.step import Step
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def described(ledger: Ledger | None, values: dict[str, Any]) -> Ledger | None:
    """The records whose own settings, and those of all that they were made from, are those of a recipe.

    Code and sources are not compared: `regrow plan` does that. None where no record is left.

    Args:
        ledger: all records, None where there are none.
        values: the params, as JSON.
    """
    if ledger is None:
        return None
    plain = json.loads(json.dumps(values))
    steps = {step.name: step for step in jobs.flow().under(values).steps}
    same: dict[str, bool] = {}
    for record in ledger.sound().records:  # producers come first
        parents = all(same.get(parent.file, False) for parent in ledger.parents(record))
        same[record.file] = parents and _same(record, steps.get(record.step), plain)
    kept = [record for record in ledger.records if same.get(record.file)]
    return Ledger(ledger.root, kept) if kept else None


def _same(record: Record, step: Step | None, values: dict[str, Any]) -> bool:
    if step is None or step.function != record.function:
        return False
    options = json.loads(json.dumps(step.options_of(record.instance) or {}))
    own = record.parts.get("params") or {}
    return options == record.options and all(values.get(name) == own[name] for name in own)
