"""The pictures of each stage's chapter: what shows that it did something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages.series import Series
from regrow.evidence.record import Record
from regrow.learn.evaluate.metrics import metric
from regrow.publish.report import model, plots
from regrow.publish.report.about import About, averaged
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


def _before(results: Results, record: Record) -> str:
    """The nearest evaluated stage whose weights a checkpoint began from, by the records; "" where none is."""
    seen = [record]
    for at in seen:
        for name in WEIGHTS:
            entry = at.inputs.get(name) or {}
            parent = results.ledger.by_file.get(str(entry.get("record", "")))
            if parent is None or parent in seen:
                continue
            if parent.step != record.step and parent in results:
                return parent.step
            seen.append(parent)
    return ""


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


def midtrain(chapter: Chapter, ledger: Ledger, outputs: Outputs, results: Results) -> None:
    """What data are worth, what the soup kept, and answers by family."""
    record = chapter.about.record
    found = outputs.json("anneal", "results.json")
    if isinstance(found, dict) and found.get("differences") and _annealed(ledger, record):
        chapter.anneal = found
    soup = averaged(ledger, record)
    made = ledger.checkpoints(soup) if soup else []
    decision = outputs.json(made[-1].name, "decision.json") if made else None
    if isinstance(decision, dict) and "losses" in decision:
        chapter.soup = decision
    after = soup if results.last(soup) else record.step
    _by_family(
        chapter, results, "exact_match", _before(results, record), after,
        "Held-out questions by family: share answered exactly right, with 95 % intervals.",
    )  # fmt: skip


def _annealed(ledger: Ledger, record: Record) -> bool:
    """Whether the micro-anneals began where this stage begins."""
    made = ledger.by_name.get("anneal")
    inputs = (made.parts if made else {}).get("inputs", {})
    return inputs.get("base") == record.parts["inputs"].get("base")


def longcontext(chapter: Chapter, ledger: Ledger, outputs: Outputs, results: Results) -> None:
    """Loss by position, and beyond the old context."""
    record = chapter.about.record
    before = _before(results, record)
    runs = [(record.step, "", "after"), (before, "", "before")]
    runs.append((before, "_yarn", "before, YaRN switched on"))
    for control in chapter.about.beside:
        runs += [(control, "", "control"), (control, "_yarn", "control, YaRN switched on")]
    series = []
    for stage, end, name in runs:
        at = results.last(stage)
        points = []
        for family in results.families(at, f"loss_by_position{end}"):
            figure = results.figure(at, f"loss_by_position{end}", family)
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


def sft(chapter: Chapter, ledger: Ledger, outputs: Outputs, results: Results) -> None:
    """Form and answers before and after."""
    record = chapter.about.record
    branch = str(record.options.get("branch", "think"))
    base, tuned = results.last(_before(results, record)), results.last(record.step)
    own = base and base.options.get("branch") is not None  # it speaks a chat form already
    asked = "" if own else f"_{branch}"
    _forest(
        chapter, results, "Form and answers before and after",
        "Held-out questions: share in the right form, and share answered exactly right.",
        (
            ("right form, before", base, f"format{asked}", "was"),
            ("right form, after", tuned, "format", "now"),
            ("right answer, before", base, f"exact_match{asked}", "was"),
            ("… asked in its own form", None if own else base, "exact_match", "was"),
            ("right answer, after", tuned, "exact_match", "now"),
            ("tool calls, before", base, f"tool_calls_{branch}", "was"),
            ("tool calls, after", tuned, "tool_calls", "now"),
        ),
    )  # fmt: skip


def dpo(chapter: Chapter, ledger: Ledger, outputs: Outputs, results: Results) -> None:
    """Preferences and right answers before and after, and of the control."""
    record = chapter.about.record
    before, after = results.last(_before(results, record)), results.last(record.step)
    controls = [results.last(stage) for stage in chapter.about.beside]
    rows: list[Row] = []
    for words, probe in (("prefers the chosen", "preference"), ("right answer", "exact_match")):
        rows += [
            (f"{words}, before", before, probe, "was"),
            (f"{words}, after", after, probe, "now"),
        ]
        rows += [("… after delta pairs", control, probe, "control") for control in controls]
    _forest(
        chapter, results, "Preferences and answers before and after",
        "Held-out pairs: how often the chosen answer is the likelier; and right answers beside it.", rows,
    )  # fmt: skip


def reinforced(chapter: Chapter, ledger: Ledger, outputs: Outputs, results: Results) -> None:
    """Rewards by step, pass rates by family, and before, after and of the control."""
    record = chapter.about.record
    beside = chapter.about.beside
    runs = [(record.step, "verified" if beside else "reward")]
    _reward_chart(chapter, ledger, outputs, (*runs, *((stage, "coin tosses") for stage in beside)))
    chapter.note = _agreement(ledger, record.step)
    before = _before(results, record)
    _by_family(
        chapter, results, "pass_rate", before, record.step,
        "Held-out questions, answers drawn at temperature 1: share that passes the verifier.",
    )  # fmt: skip
    if beside:
        rows: list[Row] = [
            ("before", results.last(before), "pass_rate", "was"),
            ("verified rewards", results.last(record.step), "pass_rate", "now"),
        ]
        rows += [("random rewards", results.last(s), "pass_rate", "control") for s in beside]
        _forest(
            chapter, results, "Pass rate before, after, and of the control",
            "Held-out questions: pass rate at temperature 1 of the base, of this stage, and of the control.", rows,
        )  # fmt: skip


Row = tuple[str, Record | None, str, str]
"""label, checkpoint, probe, class of the line"""
Draw = Callable[[Chapter, Ledger, Outputs, Results], None]


def _forest(
    chapter: Chapter, results: Results, title: str, caption: str, wanted: Sequence[Row]
) -> None:
    """Intervals of shares below each other, of what was measured."""
    rows = [
        (label, figure, css)
        for label, record, probe, css in wanted
        if record and (figure := results.figure(record, probe))
    ]
    if rows:
        chart = plots.forest(rows, title=title, span=(0.0, 1.0))
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
    chapter: Chapter, ledger: Ledger, outputs: Outputs, runs: tuple[tuple[str, str], ...]
) -> None:
    series = [s for stage, name in runs if (s := model.rewards(ledger, outputs, stage, name))]
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
