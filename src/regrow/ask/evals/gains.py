"""What each stage gained: before and after on held-out items, with paired intervals and controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regrow.ask.evals.read import Evaluation, Evaluations, Key
from regrow.ask.evals.wins import half, wins
from regrow.learn.evaluate import items as rows
from regrow.learn.evaluate.bootstrap import Score
from regrow.learn.evaluate.metrics import metric
from regrow.recipe.kind import Gain

Found = dict[Key, Score]


def gains(evaluations: Evaluations) -> list[dict[str, Any]]:
    """The rows whose two sides are on disk: for each stage what its kind compares (`regrow.recipe.kinds`).

    Each: `stage`, `metric`, `title`, `better`, `before` and `after` (value, low, high, checkpoint), `seeds`,
    `items`, `paired` (after - before over the same items), `clear` (whether the paired interval is
    on the better side of 0), where there is one `control` (its value, the paired difference
    to it, `survives`), with several seeds `per_seed`, where a seed is not counted `ignored` (seed, why), and
    `note`.
    """
    found = []
    for stage in dict.fromkeys(e.about.stage for e in evaluations.all):
        for gain in compared(evaluations, stage):
            found.append(row(evaluations, stage, gain))
    return [each for each in found if each is not None]


def compared(evaluations: Evaluations, stage: str) -> list[Gain]:
    """What is compared of a stage, by its kind and options; [] where no record says what it is."""
    last = evaluations.last(stage)
    record = evaluations.checkpoint(last) if last else None
    if record is None or record.kind is None:
        return []
    return [
        gain
        for gain in record.kind.gains
        if gain.of_control == record.is_control
        and (gain.only is None or record.options.get(gain.only[0]) == gain.only[1])
    ]


def row(evaluations: Evaluations, stage: str, spec: Gain) -> dict[str, Any] | None:
    """One row, None where a side is missing. With several seeds an item's scores are averaged."""
    sides = []
    counted, ignored = evaluations.seeds(stage)
    for seed in counted:
        after = evaluations.last(stage, seed)
        before = after and evaluations.before(after, spec.against)
        if before and after:
            old, new = _scores(spec, before, after, evaluations.length_weight(seed))
            if old and new:
                sides.append((seed, before, after, old, new))
    if not sides:
        return None
    _, before, after, _, _ = sides[0]
    resamples, seed = after.settings
    about = metric(spec.probe)
    better = spec.better or about.better
    old = _averaged([side[3] for side in sides])
    new = _averaged([side[4] for side in sides])

    def figure(scores: Found, rate: bool) -> dict[str, Any]:
        shown = rows.figure(scores, resamples, seed, rate=rate)
        return {name: shown[name] for name in ("value", "low", "high", "items")}

    paired = figure(rows.difference(old, new), False)
    shown: dict[str, Any] = {
        "stage": stage,
        "metric": spec.probe + (f" ({spec.family})" if spec.family else ""),
        "title": about.title,
        "better": better,
        "before": figure(old, about.rate) | {"checkpoint": before.name},
        "after": figure(new, about.rate) | {"checkpoint": after.name},
        "seeds": len(sides),
        "items": paired.pop("items"),
        "paired": paired,
        "clear": clear(paired, better),
    }
    for side in ("before", "after"):
        shown[side].pop("items")
    if spec.note:
        shown["note"] = spec.note
    if ignored:
        shown["ignored"] = [{"seed": n, "why": why} for n, why in sorted(ignored.items())]
    if spec.controlled:
        control = _control(evaluations, spec, after, new)
        if control:
            name, scores = control
            apart = figure(rows.difference(scores, new), False)
            apart.pop("items")
            shown["control"] = figure(scores, about.rate) | {
                "checkpoint": name,
                "paired": apart,
                "survives": shown["clear"] and clear(apart, better),
            }
    if len(sides) > 1:
        shown["per_seed"] = [
            {
                "seed": number,
                "before": figure(a, about.rate)["value"],
                "after": figure(b, about.rate)["value"],
                "paired": {
                    k: v for k, v in figure(rows.difference(a, b), False).items() if k != "items"
                },
            }
            for number, _, _, a, b in sides
        ]
    return shown


def clear(paired: dict[str, Any], better: str) -> bool:
    """Whether a paired interval is wholly on the better side of 0."""
    return bool(paired["low"] > 0 if better == "higher" else paired["high"] < 0)


def _scores(
    spec: Gain, before: Evaluation, after: Evaluation, length_weight: float
) -> tuple[Found, Found]:
    """Scores of both sides over the items that both have."""
    if spec.probe in ("win_share", "win_share_drawn"):
        won = wins(before, after, length_weight, drawn=spec.probe.endswith("drawn"))
        return {name: half(score) for name, score in won.items()}, won
    old, new = rows.shared(before.scores(spec.before_probe or spec.probe), after.scores(spec.probe))
    if spec.family:
        old, new = ({k: s for k, s in side.items() if k[0] == spec.family} for side in (old, new))
    seed = after.about.seed
    if spec.probe.startswith("preference") and seed:
        # Pairs are made again under every seed: other items, whatever they are called.
        old, new = ({(f, f"{seed} {i}"): s for (f, i), s in side.items()} for side in (old, new))
    return old, new


def _averaged(sides: Sequence[Found]) -> Found:
    """Scores of an item added up over the seeds: the ratio is then their mean."""
    found: Found = {}
    for side in sides:
        for name, score in side.items():
            have = found.get(name, Score(0, 0))
            found[name] = Score(have.microbits + score.microbits, have.size + score.size)
    return found


def _control(
    evaluations: Evaluations, spec: Gain, after: Evaluation, new: Found
) -> tuple[str, Found] | None:
    """The control's scores; None where there is none that began from the same weights and read the same data."""
    for control in _controls(evaluations, after):
        scores = control.scores(spec.control_probe or spec.probe)
        scores = {name: scores[name] for name in new if name in scores}
        if scores:
            return control.name, scores
    return None


def _controls(evaluations: Evaluations, after: Evaluation) -> list[Evaluation]:
    """The last evaluations of the controls of a stage, by the records."""
    record = evaluations.checkpoint(after)
    if record is None:
        return []
    found = []
    for stage in dict.fromkeys(e.about.stage for e in evaluations.all):
        other = evaluations.last(stage)
        made = evaluations.checkpoint(other) if other else None
        if other and made and made.is_control and made.function == record.function:
            sides = [
                {n: side.parts["inputs"].get(n) for n in ("base", "data")}
                for side in (record, made)
            ]
            if sides[0] == sides[1]:
                found.append(other)
    return found
