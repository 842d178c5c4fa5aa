"""The whole answer of `regrow trace` as data."""

from __future__ import annotations

from typing import Any

from regrow.ask.trace import manifest, takedowns
from regrow.ask.trace.find import find
from regrow.ask.trace.journey import journey
from regrow.ask.trace.made import evaluations, family, journey_of_made
from regrow.ask.trace.match import Match
from regrow.ask.trace.stop import decisive
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.open import last_runs
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.run import Run


def trace(ledger: Ledger, query: str, as_text: bool = False) -> dict[str, Any]:
    """What became of what `query` means: a document, or a task, example or pair of the flow.

    `as_text`: the query is a line of text and nothing else.

    Returns a mapping: `matches` (all that fit), and where exactly one fits: `stops` (one per
    step), `training` (one entry per stage that could see it, see `exposure`), `evaluations` (its
    scores by checkpoint), `fate` (one sentence).

    Raises:
        Unanswerable: nothing fits, or nothing is on disk.
    """
    outputs = Outputs(ledger)
    matches = find(outputs, query, as_text)
    answer: dict[str, Any] = {"query": query, "matches": [vars(match) for match in matches]}
    if len(matches) > 1:
        answer["hint"] = "several fit: name one by its id."
        return answer
    answer.update(follow(outputs, matches[0]))
    answer["hint"] = outputs.hint()
    return answer


def follow(outputs: Outputs, match: Match) -> dict[str, Any]:
    """The stops of one match, and what training and evaluation saw of it."""
    made = match.kind != "document"
    stops = journey_of_made(outputs, match) if made else journey(outputs, match)
    last = decisive(stops)
    # Of a task, the split decides: a pair kept for evaluation may be about a task of any split.
    judged = stops[:1] if match.kind == "task" else stops
    held = any(stop.outcome == "held out" for stop in judged)
    answer: dict[str, Any] = {"stops": [stop.as_json() for stop in stops], "training": []}
    answer["evaluations"] = evaluations(outputs, str(match.id)) if match.id else []
    if held:
        answer["fate"] = "held out: the model is evaluated on it and never trained on it"
    elif takedowns.is_mask(last):
        answer["training"] = exposure(outputs, last_runs(outputs), str(match.id))
        seen = fate(answer["training"])
        answer["fate"] = seen if seen.startswith("seen") else "not seen: masked by a takedown"
    elif last.outcome == "dropped" and not made:
        reason = last.facts.get("reason") or last.facts.get("outcome", "no reason recorded")
        answer["fate"] = f"dropped by {last.step}: {reason}"
    elif (of_source := manifest.fate(last)) is not None:
        answer["fate"] = of_source
    elif last.outcome in {"missing", "unknown"}:
        answer["fate"] = (
            f"lost from sight at {last.step}: its tables are not on disk or do not hold it"
        )
    else:
        runs = last_runs(outputs)
        answer["training"] = exposure(outputs, runs, str(match.id))
        answer["fate"] = (
            fate(answer["training"])
            if runs
            else "kept for training (no training run or its data on disk)"
        )
    return answer


def exposure(outputs: Outputs, runs: list[Run], id: str) -> list[dict[str, Any]]:
    """What the runs (the longest of each stage) saw of `id`, in the order of training.

    An entry has stage, checkpoint, kind, instances (of packed documents), seen (one row per time),
    steps, tokens, and the checkpoints that have seen it.
    """
    found = (_of_run(outputs, run, id) for run in runs)
    return [entry for entry in found if entry["instances"] or entry["seen"]]


def _of_run(outputs: Outputs, run: Run, id: str) -> dict[str, Any]:
    jobs = run.jobs if isinstance(run, Packs) else []
    ids = list(dict.fromkeys([id, *(one for job in jobs for one in family(outputs, job, id))]))
    seen = [row for one in ids for row in run.of(one)]
    seen.sort(key=lambda row: row["step"])
    steps = sorted({item["step"] for item in seen})
    made = outputs.ledger.checkpoints(run.stage)
    return {
        "stage": run.stage,
        "checkpoint": run.checkpoint.name,
        "kind": run.kind,
        "instances": [i for one in ids for i in run.instances(one)]
        if isinstance(run, Packs)
        else [],
        "seen": seen,
        "steps": steps,
        "tokens": sum(item["tokens"] for item in seen),
        "checkpoints": [r.name for r in made if r.trained and steps and r.trained[1] >= steps[0]],
    }


def fate(training: list[dict[str, Any]]) -> str:
    """One sentence on what training saw."""
    seen = [entry for entry in training if entry["steps"]]
    if seen:
        parts = [
            f"{len(e['steps'])} step{'s' if len(e['steps']) != 1 else ''} of {e['stage']} "
            f"({e['steps'][0]}{' to ' + str(e['steps'][-1]) if len(e['steps']) > 1 else ''})"
            for e in seen
        ]
        total = sum(entry["tokens"] for entry in seen)
        return f"seen by {', '.join(parts)}, {total:,} tokens in all"
    packed = [entry for entry in training if entry["instances"]]
    if packed:
        return f"packed, but not seen by {', '.join(e['checkpoint'] for e in packed)}"
    return "kept, but in no packed stream, table of examples or rollout"
