"""Two checkpoints on the same items: the differences of `regrow evals --gains`, for every two of a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any

from regrow.ask.evals.gains import clear
from regrow.ask.evals.read import Evaluation, Evaluations
from regrow.evidence.ledger import Ledger
from regrow.learn.evaluate import items as rows
from regrow.publish.explorer.facts import Pool

MOST = 400
"""pairs of checkpoints; of more, those of the last checkpoints of the stages come first"""

Scores = Callable[[str, str], rows.Scores]
"""evaluation and probe -> scores of the items"""


def paired(ledger: Ledger, most: int = MOST) -> dict[str, Any]:
    """`differences`: "A,B" (A before B in the flow) -> rows of probe, value, low, high, items, clear.

    A value is B's minus A's over the items that both were asked, with its 95 % interval; `clear`: whether the
    interval is on the better side of 0 (1), on the worse (-1), or on neither (0).
    `probes`: their names; `left_out`: pairs of checkpoints for which there was no room.
    """
    found = _evaluated(ledger)
    last = {ledger.checkpoints(record.step)[-1].name for record in ledger.checkpoints()}
    pairs = sorted(
        combinations(found, 2), key=lambda pair: -sum(name in last for name, _ in pair)
    )  # sorting is stable: else in the order of the flow
    probes = Pool()
    by_name = {each.name: each for _, each in found}
    scores = cache(lambda name, probe: by_name[name].scores(probe))  # every pair asks for them
    differences = {
        f"{a},{b}": [[probes.place(name), *values] for name, *values in _rows(old, new, scores)]
        for (a, old), (b, new) in pairs[:most]
    }
    kept = {names: values for names, values in differences.items() if values}
    return {
        "differences": kept,
        "probes": probes.values,
        "left_out": max(0, len(pairs) - most),
    }


def _evaluated(ledger: Ledger) -> list[tuple[str, Evaluation]]:
    """Checkpoints with an evaluation on disk, in the order of the flow."""
    by_record = {each.record.file: each for each in Evaluations(ledger).all}
    found = []
    for record in ledger.checkpoints():
        about = ledger.about("evaluate", record)
        if about is not None and about.file in by_record:
            found.append((record.name, by_record[about.file]))
    return found


def _rows(old: Evaluation, new: Evaluation, scores: Scores) -> list[list[Any]]:
    resamples, seed = new.settings
    found = []
    for probe in ("bits_per_byte", *sorted(new.items)):
        before, after = rows.shared(scores(old.name, probe), scores(new.name, probe))
        if not before or (probe.startswith("preference") and old.about.seed != new.about.seed):
            continue  # pairs are made again under every seed, whatever they are called
        shown = rows.figure(rows.difference(before, after), resamples, seed)
        better = _better(probe, new)
        sign = 0
        if better in ("higher", "lower"):
            worse = "lower" if better == "higher" else "higher"
            sign = 1 if clear(shown, better) else -1 if clear(shown, worse) else 0
        found.append([probe, shown["value"], shown["low"], shown["high"], shown["items"], sign])
    return found


def _better(probe: str, evaluation: Evaluation) -> str:
    figure = evaluation.results.get("probes", {}).get(probe) or {}
    return str(figure.get("better", "lower" if probe == "bits_per_byte" else "higher"))
