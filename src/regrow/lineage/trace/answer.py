"""The whole answer of `regrow trace` as data."""

from __future__ import annotations

from typing import Any

from regrow.lineage.errors import Unanswerable
from regrow.lineage.exposure import Exposure
from regrow.lineage.ledger import Ledger
from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.find import Match, find
from regrow.lineage.trace.journey import journey


def trace(ledger: Ledger, query: str) -> dict[str, Any]:
    """What became of the document that `query` means.

    Returns a mapping: `matches` (all that fit), and where exactly one fits: `stops` (one per
    step), `training` (exposure, see `exposure`), `fate` (one sentence).

    Raises:
        Unanswerable: nothing fits, or nothing is on disk.
    """
    shelf = Shelf(ledger)
    matches = find(shelf, query)
    answer: dict[str, Any] = {"query": query, "matches": [vars(match) for match in matches]}
    if len(matches) > 1:
        answer["hint"] = "several documents fit: name one by its id."
        return answer
    answer.update(follow(shelf, ledger, matches[0]))
    answer["hint"] = shelf.hint()
    return answer


def follow(shelf: Shelf, ledger: Ledger, match: Match) -> dict[str, Any]:
    """The stops of one document and what training saw of it."""
    stops = journey(shelf, match)
    last = stops[-1]
    answer: dict[str, Any] = {"stops": [stop.as_json() for stop in stops], "training": None}
    if last.outcome == "dropped":
        reason = last.facts.get("reason") or last.facts.get("outcome", "no reason recorded")
        answer["fate"] = f"dropped by {last.step}: {reason}"
    elif last.outcome == "held out":
        answer["fate"] = "held out: the model is evaluated on it and never trained on it"
    elif last.outcome in {"missing", "unknown"}:
        answer["fate"] = (
            f"lost from sight at {last.step}: its tables are not on disk or do not hold it"
        )
    else:
        answer["training"] = exposure(shelf, ledger, str(match.id))
        answer["fate"] = _fate(answer["training"])
    return answer


def exposure(shelf: Shelf, ledger: Ledger, id: str) -> dict[str, Any] | None:
    """Pack positions of a document and the training steps that saw it, in the longest run here."""
    runs = ledger.of_step("pretrain")
    if not runs:
        return None
    last = max(runs, key=lambda record: int(record.instance or 0))
    try:
        run = Exposure(shelf, last)
    except Unanswerable:
        return None
    seen = run.of_document(id)
    steps = sorted({item.step for item in seen})
    instances = run.instances(id)
    first = [r.name for r in runs if steps and int(r.instance or 0) >= steps[0]]
    return {
        "checkpoint": last.name,
        "instances": instances,
        "seen": [item.as_json() for item in seen],
        "steps": steps,
        "tokens": sum(item.tokens for item in seen),
        "checkpoints": first,
    }


def _fate(training: dict[str, Any] | None) -> str:
    if training is None:
        return "kept for training (no training run or packing index on disk)"
    steps = training["steps"]
    if not training["instances"]:
        return "kept, but not in the packed stream"
    if not steps:
        return f"packed, but not seen by {training['checkpoint']}"
    return (
        f"seen by {len(steps)} training step{'s' if len(steps) != 1 else ''} "
        f"({steps[0]} to {steps[-1]}), {training['tokens']:,} tokens in all"
    )
