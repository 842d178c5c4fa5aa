"""The training stages as chapters of the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markupsafe import Markup

from regrow.evaluate.metrics import metric
from regrow.evidence.ledger import Ledger, Record
from regrow.evidence.shelf import Shelf
from regrow.publish.report import model, plots
from regrow.publish.report.about import ABOUT, About
from regrow.publish.report.gains import Gain
from regrow.publish.report.pictures import ADD, Chapter
from regrow.publish.report.results import Results
from regrow.release import methods
from regrow.release.history import history
from regrow.release.records import Artifact, artifact


def chapters(
    ledger: Ledger,
    shelf: Shelf,
    results: Results,
    gains: dict[str, list[Gain]],
    seconds: dict[str, float],
) -> list[Chapter]:
    """The chapters of the stages that have checkpoints."""
    found = []
    known = {record.name: artifact(record.raw) for record in ledger.records}
    for plain in ABOUT:
        made = ledger.checkpoints(plain.stage)
        if not made or made[-1].trained is None:
            continue
        about = _told(plain, known, made[-1])
        runs = [(about.stage, "this run"), *_beside(about, ledger, known)]
        curves = [c for name, label in runs if (c := model.curve(ledger, shelf, name, label))]
        chapter = Chapter(
            about,
            made[-1].trained[1],
            curves[0].tokens if curves and curves[0].loss.name == "this run" else None,
            sum(seconds[name] for name, _ in runs if name in seconds) or None,
            gains.get(about.stage, []),
        )
        if curves and not about.stage.startswith("rl"):  # a policy gradient's loss shows nothing
            drawn = [plots.smooth(c.loss, max(1, len(c.loss.steps) // 15)) for c in curves]
            colours = [0, 2] if about.stage == "longcontext" else [0, 1]
            title = f"{about.title}: loss by step"
            chapter.loss = Markup(plots.lines(drawn, title=title, colours=colours))
            chapter.colours = colours
            chapter.legend = [c.loss.name for c in curves]
            chapter.skipped = curves[0].skipped
        if about.stage in ADD:
            ADD[about.stage](chapter, ledger, shelf, results)
        found.append(chapter)
    return found


def _told(about: About, known: dict[str, Artifact], record: Record) -> About:
    """The chapter with the words of its last checkpoint's record."""
    stage = history(known, known[record.name])[-1]
    return replace(about, title=stage.title, what=f"{stage.method} Learned from: {stage.reads}")


def _beside(about: About, ledger: Ledger, known: dict[str, Artifact]) -> list[tuple[str, str]]:
    """(stage, title) of the runs on the same chart that were made."""
    made = [(stage, ledger.checkpoints(stage)) for stage in about.beside]
    return [(stage, methods.title(known[found[-1].name])) for stage, found in made if found]


def final_table(results: Results) -> dict[str, Any]:
    """All figures of the last checkpoint of each stage: stages, and rows of (title, better, cells)."""
    order = [about.stage for about in ABOUT]
    names = [*order[:2], "soup", *order[2:4], "sft_instruct", *order[4:], "rlzero_random"]
    made = [(name, record) for name in names if (record := results.last(name))]
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
