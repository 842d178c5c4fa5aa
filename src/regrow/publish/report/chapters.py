"""The training stages as chapters of the page."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.learn.evaluate.metrics import metric
from regrow.publish.report import model, plots
from regrow.publish.report.about import About, about, lasts
from regrow.publish.report.gains import Gain
from regrow.publish.report.pictures import Chapter, Draw
from regrow.publish.report.results import Results
from regrow.recipe.kinds import METHODS
from regrow.release import methods
from regrow.release.history import history
from regrow.release.records import Artifact, artifact


def chapters(
    ledger: Ledger,
    outputs: Outputs,
    results: Results,
    gains: dict[str, list[Gain]],
    seconds: dict[str, float],
) -> list[Chapter]:
    """The chapters of the stages that have checkpoints."""
    found = []
    known = {record.name: artifact(record.raw) for record in ledger.records}
    for plain in about(ledger):
        made = ledger.checkpoints(plain.stage)
        assert made[-1].trained is not None
        told = _told(plain, known, made[-1])
        runs = [(told.stage, "this run"), *_beside(told, ledger, known)]
        curves = [c for name, label in runs if (c := model.curve(ledger, outputs, name, label))]
        chapter = Chapter(
            told,
            made[-1].trained[1],
            curves[0].tokens if curves and curves[0].loss.name == "this run" else None,
            sum(seconds[name] for name, _ in runs if name in seconds) or None,
            gains.get(told.stage, []),
        )
        if curves and told.loss:
            drawn = [plots.smooth(c.loss, max(1, len(c.loss.steps) // 15)) for c in curves]
            colours = [0, *range(2 if told.beside else 1, 9)][: len(drawn)]
            title = f"{told.title}: loss by step"
            chapter.loss = Markup(plots.lines(drawn, title=title, colours=colours))
            chapter.colours = colours
            chapter.legend = [c.loss.name for c in curves]
            chapter.skipped = curves[0].skipped
        if draw := _chart(told.record):
            draw(chapter, ledger, outputs, results)
        found.append(chapter)
    return found


def _chart(record: Record) -> Draw | None:
    """What draws the pictures of a kind of training."""
    if record.kind is None or not record.kind.chart:
        return None
    module, _, name = record.kind.chart.partition(":")
    found: Draw = getattr(importlib.import_module(module), name)
    return found


def _told(plain: About, known: dict[str, Artifact], record: Record) -> About:
    """The chapter with the words of its last checkpoint's record."""
    stage = history(known, known[record.name], METHODS)[-1]
    return replace(plain, title=stage.title, what=f"{stage.method} Learned from: {stage.reads}")


def _beside(plain: About, ledger: Ledger, known: dict[str, Artifact]) -> list[tuple[str, str]]:
    """(stage, title) of the runs on the same chart that were made."""
    made = [(stage, ledger.checkpoints(stage)) for stage in plain.beside]
    return [
        (stage, methods.title(known[found[-1].name], METHODS)) for stage, found in made if found
    ]


def final_table(results: Results) -> dict[str, Any]:
    """All figures of the last checkpoint of each stage: stages, and rows of (title, better, cells)."""
    stages = [name for name, record in lasts(results.ledger).items() if not record.is_control]
    made = [(name, record) for name in stages if (record := results.last(name))]
    probes = list(dict.fromkeys(p for _, record in made for p in results.probes(record)))
    rows = []
    for probe in probes:
        if probe.endswith("_yarn") or probe in ("loss_by_position", "pass@1"):
            continue
        cells = [results.figure(record, probe) for _, record in made]
        if sum(cell is not None for cell in cells) > 1:
            about = metric(probe)
            rows.append((about.title, about.better, cells))
    return {"stages": [name for name, _ in made], "rows": rows}
