"""The pictures of each stage's chapter: what shows that it did something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from regrow.evaluate.metrics import metric
from regrow.evidence.ledger import Ledger
from regrow.evidence.pages.series import Series
from regrow.evidence.shelf import Shelf
from regrow.publish.report import model, plots
from regrow.publish.report.about import About
from regrow.publish.report.gains import Gain
from regrow.publish.report.results import Results
from regrow.release.history import WEIGHTS


@dataclass
class Chapter:
    """One stage on the page."""

    about: About
    steps: int
    tokens: int | None
    seconds: float | None
    gains: list[Gain]
    """the headline first"""
    loss: Markup | None = None
    legend: list[str] = field(default_factory=list)
    colours: list[int] = field(default_factory=list)
    """of the curves in the legend"""
    skipped: list[int] = field(default_factory=list)
    figures: list[tuple[Markup, str]] = field(default_factory=list)
    """further charts with their captions"""
    note: str = ""
    """one more sentence"""
    anneal: dict[str, Any] | None = None
    soup: dict[str, Any] | None = None


def _before(results: Results, stage: str, default: str) -> str:
    """The nearest evaluated stage whose weights a stage began from, by the records; else `default`."""
    record = results.last(stage)
    seen = [record] if record else []
    for at in seen:
        for name in WEIGHTS:
            entry = at.inputs.get(name) or {}
            parent = results.ledger.by_file.get(str(entry.get("record", "")))
            if parent is None or parent in seen:
                continue
            if parent.step != stage and parent in results:
                return parent.step
            seen.append(parent)
    return default


def _by_family(
    chapter: Chapter, results: Results, probe: str, before: str, after: str, caption: str
) -> None:
    """Intervals of each family before and after, one pair below the other."""
    ends = (results.last(before), results.last(after))
    rows = []
    for family in results.families(ends[1], probe):
        for record, css, word in zip(ends, ("was", "now"), ("before", "after"), strict=True):
            figure = results.figure(record, probe, family)
            if figure:
                rows.append((f"{family.replace('_', ' ')}, {word}", figure, css))
    if rows:
        chart = plots.forest(rows, title=f"{metric(probe).title} by family", span=(0.0, 1.0))
        chapter.figures.append((Markup(chart), caption))


def _midtrain(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    found = shelf.json("anneal", "results.json")
    if isinstance(found, dict) and found.get("differences"):
        chapter.anneal = found
    made = ledger.checkpoints("soup")
    decision = shelf.json(made[-1].name, "decision.json") if made else None
    if isinstance(decision, dict) and "losses" in decision:
        chapter.soup = decision
    after = "soup" if results.last("soup") else "midtrain"
    _by_family(
        chapter, results, "exact_match", _before(results, after, "pretrain"), after,
        "Held-out questions by family: share answered exactly right, with 95 % intervals.",
    )  # fmt: skip


def _long(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    runs = (
        ("longcontext", "", "after"),
        ("soup", "", "before"),
        ("soup", "_yarn", "before, YaRN switched on"),
        ("longcontext_control", "", "control"),
        ("longcontext_control", "_yarn", "control, YaRN switched on"),
    )
    series = []
    for stage, end, name in runs:
        record = results.last(stage)
        points = []
        for family in results.families(record, f"loss_by_position{end}"):
            figure = results.figure(record, f"loss_by_position{end}", family)
            start, _, last = family.partition("-")
            if figure and last:
                points.append(((int(start) + int(last)) // 2, figure.value))
        if points and name != "control, YaRN switched on":
            series.append(Series(name, [at for at, _ in points], [value for _, value in points]))
    if series:
        title = "Loss by position in held-out documents"
        colours = [_POSITION_COLOURS[line.name] for line in series]
        chart = plots.lines(series, title=title, unit="position", colours=colours)
        caption = "Loss by position in held-out long documents."
        chapter.figures.append((Markup(chart), _legend(caption, series, colours)))
    rows = []
    for stage, end, name in runs:
        if figure := results.figure(results.last(stage), f"loss_long{end}"):
            rows.append(
                (
                    name,
                    figure,
                    "now" if name == "after" else "control" if "control" in name else "was",
                )
            )
    if rows:
        chart = plots.forest(rows, title="Loss beyond the old context")
        caption = "Loss at the positions beyond `evaluate.short_context`."
        chapter.figures.append((Markup(chart), caption))


def _sft(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    rows = []
    base, sft, instruct = (results.last(s) for s in ("longcontext", "sft", "sft_instruct"))
    for label, record, probe, css in (
        ("right form, before", base, "format_think", "was"),
        ("right form, after", sft, "format", "now"),
        ("right answer, before", base, "exact_match_think", "was"),
        ("… asked in its own form", base, "exact_match", "was"),
        ("right answer, after", sft, "exact_match", "now"),
        ("Instruct: right answer", instruct, "exact_match", "control"),
        ("Instruct: tool calls", instruct, "tool_calls", "control"),
    ):
        if figure := results.figure(record, probe):
            rows.append((label, figure, css))
    if rows:
        chart = plots.forest(rows, title="Form and answers before and after", span=(0.0, 1.0))
        caption = "Held-out questions: share in the right form, and share answered exactly right."
        chapter.figures.append((Markup(chart), caption))


def _dpo(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    rows = []
    for label, stage, probe, css in (
        ("prefers the chosen, before", "sft", "preference", "was"),
        ("prefers the chosen, after", "dpo", "preference", "now"),
        ("… after delta pairs", "dpo_delta", "preference", "control"),
        ("right answer, before", "sft", "exact_match", "was"),
        ("right answer, after", "dpo", "exact_match", "now"),
        ("… after delta pairs", "dpo_delta", "exact_match", "control"),
    ):
        if figure := results.figure(results.last(stage), probe):
            rows.append((label, figure, css))
    if rows:
        chart = plots.forest(
            rows, title="Preferences and answers before and after", span=(0.0, 1.0)
        )
        caption = "Held-out pairs: how often the chosen answer is the likelier; and right answers beside it."
        chapter.figures.append((Markup(chart), caption))


def _rlvr(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    _reward_chart(chapter, ledger, shelf, (("rlvr", "reward"),))
    chapter.note = _agreement(ledger, "rlvr")
    _by_family(
        chapter, results, "pass_rate", _before(results, "rlvr", "dpo"), "rlvr",
        "Held-out questions, answers drawn at temperature 1: share that passes the verifier.",
    )  # fmt: skip


def _rlzero(chapter: Chapter, ledger: Ledger, shelf: Shelf, results: Results) -> None:
    _reward_chart(
        chapter, ledger, shelf, (("rlzero", "verified"), ("rlzero_random", "coin tosses"))
    )
    rows = []
    for label, stage, css in (
        ("before (base)", "longcontext", "was"),
        ("verified rewards", "rlzero", "now"),
        ("random rewards", "rlzero_random", "control"),
    ):
        if figure := results.figure(results.last(stage), "pass_rate"):
            rows.append((label, figure, css))
    if rows:
        chart = plots.forest(rows, title="Pass rate before, after, and of the control")
        caption = "Held-out questions: pass rate at temperature 1 of the base, of RL-Zero, and of the control."
        chapter.figures.append((Markup(chart), caption))


def _agreement(ledger: Ledger, stage: str) -> str:
    """What the records say about the log-probabilities of sampler and trainer."""
    counts = [r.counts for r in ledger.checkpoints(stage)]
    compared = sum(int(c.get("logprobs_compared", 0)) for c in counts)
    gap = max((float(c.get("max_abs_logprob_difference", 0.0)) for c in counts), default=0.0)
    if not compared:
        return ""
    return (
        f"Sampler and trainer computed the log-probability of each of {compared:,} learned tokens; "
        f"the largest difference is {gap:g}."
    )


def _reward_chart(
    chapter: Chapter, ledger: Ledger, shelf: Shelf, runs: tuple[tuple[str, str], ...]
) -> None:
    series = [s for stage, name in runs if (s := model.rewards(ledger, shelf, stage, name))]
    if not series:
        return
    drawn = [plots.smooth(line, max(1, len(line.steps) // 12)) for line in series]
    colours = [0, 2]
    chart = plots.lines(drawn, title="Reward by training step", colours=colours)
    caption = "Mean reward of the answers that it drew, by training step."
    chapter.figures.append((Markup(chart), _legend(caption, series, colours)))


def _legend(caption: str, series: Sequence[Series], colours: Sequence[int]) -> Markup:
    """A caption, and which line is which where there are several."""
    if len(series) < 2:
        return Markup(caption)
    names = "".join(
        f'<span><i class="s{colour}"></i> {line.name}</span> '
        for line, colour in zip(series, colours, strict=False)
    )
    return Markup(f'{caption} <span class="legend">{names}</span>')


_POSITION_COLOURS = {"after": 0, "before": 3, "before, YaRN switched on": 1, "control": 2}

ADD: dict[str, Callable[[Chapter, Ledger, Shelf, Results], None]] = {
    "midtrain": _midtrain,
    "longcontext": _long,
    "sft": _sft,
    "dpo": _dpo,
    "rlvr": _rlvr,
    "rlzero": _rlzero,
}
"""stage -> what fills its chapter"""
