"""What each stage gained: before and after on held-out items, with paired intervals and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from regrow.ask.evals.read import Evaluation, Evaluations, Key
from regrow.ask.evals.wins import half, wins
from regrow.evaluate import items as rows
from regrow.evaluate.bootstrap import Score
from regrow.evaluate.metrics import metric

Which = Literal["first", "last"]
Found = dict[Key, Score]
SEEDED = ("sft", "dpo", "rlvr")
"""stages that are repeated under further seeds"""


@dataclass(frozen=True)
class Spec:
    """One row of the table: a probe of the stage's last checkpoint against one before it."""

    stage: str
    probe: str
    before: str
    """the stage whose checkpoint it is compared with"""
    which: Which = "last"
    before_probe: str = ""
    """where the same thing has another name there"""
    family: str = ""
    """only items of this family"""
    control: str = ""
    """a stage that got everything but what the stage is about"""
    control_probe: str = ""
    better: Literal["higher", "lower"] | None = None
    """where the probe itself does not say"""
    note: str = ""


SPECS: tuple[Spec, ...] = (
    Spec("pretrain", "bits_per_byte", "pretrain", "first"),
    Spec(
        *("midtrain", "exact_match", "pretrain"),
        note="in the plain form; the tasks that both were asked",
    ),
    Spec("midtrain", "worked_answers", "pretrain"),
    Spec("midtrain", "bits_per_byte", "pretrain", note="the cost in general text"),
    Spec("longcontext", "loss_long", "soup", control="longcontext_control"),
    Spec(
        *("longcontext", "loss_long", "soup"),
        control="longcontext_control",
        control_probe="loss_long_yarn",
        note="the control with YaRN switched on at evaluation",
    ),
    Spec("longcontext", "needle", "soup", control="longcontext_control"),
    Spec("longcontext_control", "loss_long", "soup", note="the control itself"),
    Spec(
        *("sft", "exact_match", "longcontext"),
        note="before: in the base model's own plain form",
    ),
    Spec(
        *("sft", "format", "longcontext"),
        before_probe="format_think",
        note="by construction: the base model has never seen the form",
    ),
    Spec("sft_instruct", "tool_calls", "sft", before_probe="tool_calls_instruct"),
    Spec("dpo", "win_share", "sft", note="against the SFT model; judge: right less length"),
    Spec("dpo", "win_share_drawn", "sft", note="the same at T = 1"),
    Spec("dpo", "preference", "sft", family="judged", note="judged pairs"),
    Spec("dpo", "exact_match", "sft", note="never a win share without it"),
    Spec("dpo", "tokens", "sft", better="lower", note="never a win share without it"),
    Spec("dpo_delta", "preference", "sft", family="delta", note="delta pairs"),
    Spec("dpo_delta", "exact_match", "sft"),
    Spec("rlvr", "pass_rate", "dpo"),
    Spec("rlvr", "exact_match", "dpo"),
    Spec("rlzero", "pass_rate", "longcontext", control="rlzero_random"),
    Spec("rlzero", "exact_match", "longcontext", control="rlzero_random"),
    Spec("rlzero_random", "pass_rate", "longcontext", note="the control itself"),
)


def gains(evaluations: Evaluations) -> list[dict[str, Any]]:
    """The rows whose two sides are on disk.

    Each: `stage`, `metric`, `title`, `better`, `before` and `after` (value, low, high, checkpoint), `seeds`,
    `items`, `paired` (after - before over the same items), `clear` (whether the paired interval is
    on the better side of 0), where there is one `control` (its value, the paired difference
    to it, `survives`), with several seeds `per_seed`, where a seed is not counted `ignored` (seed, why), and
    `note`.
    """
    found = (row(evaluations, spec) for spec in SPECS)
    return [each for each in found if each is not None]


def row(evaluations: Evaluations, spec: Spec) -> dict[str, Any] | None:
    """One row, None where a side is missing. With several seeds an item's scores are averaged."""
    sides = []
    counted, ignored = evaluations.seeds(spec.stage)
    for seed in counted:
        after = evaluations.last(spec.stage, seed)
        # `before` of another seed where that stage is repeated, else the one there is.
        own = seed if spec.before in SEEDED else 0
        before = after and evaluations.before(after, spec.before, spec.which, own)
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
        "stage": spec.stage,
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
    if before.about.stage != spec.before:
        shown["note"] = (
            f"before: {before.name}, from which this stage began; {shown.get('note', '')}"
        )
        shown["note"] = shown["note"].rstrip("; ")
    if ignored:
        shown["ignored"] = [{"seed": n, "why": why} for n, why in sorted(ignored.items())]
    if spec.control:
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
    spec: Spec, before: Evaluation, after: Evaluation, length_weight: float
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
    evaluations: Evaluations, spec: Spec, after: Evaluation, new: Found
) -> tuple[str, Found] | None:
    """The control's scores; None where there is none, or where it began elsewhere or read other data."""
    control = evaluations.last(spec.control)
    if control is None:
        return None
    sides = [evaluations.checkpoint(each) for each in (after, control)]
    if None not in sides:
        began = [{n: s.parts["inputs"].get(n) for n in ("base", "data")} for s in sides if s]
        if began[0] != began[1]:
            return None
    scores = control.scores(spec.control_probe or spec.probe)
    scores = {name: scores[name] for name in new if name in scores}
    return (control.name, scores) if scores else None
