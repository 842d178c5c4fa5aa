"""Evaluation figures and training curves, for the panels of checkpoints."""

from __future__ import annotations

from typing import Any

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages.series import Series
from regrow.learn.evaluate.metrics import metric
from regrow.publish.report import model, plots
from regrow.publish.report.results import Figure, Results
from regrow.recipe.kinds import METHODS
from regrow.release.history import history
from regrow.release.records import artifact

POINTS = 240
"""of a curve; longer ones are smoothed, then thinned"""
_CURVES = (
    ("loss", "loss", "nats per token"),
    ("reward", "mean reward", "of the answers of a step"),
)


def figures(ledger: Ledger, outputs: Outputs) -> dict[str, Any]:
    """`probes` (name -> title, better, rate) and `values` (checkpoint -> probe -> value, low, high, items)."""
    results = Results(ledger, outputs)
    probes: dict[str, Any] = {}
    values: dict[str, dict[str, list[float]]] = {}
    for record in ledger.checkpoints():
        if record not in results:
            continue
        row = values.setdefault(record.name, {})
        for name in results.probes(record):
            figure = results.figure(record, name)
            if figure is None:
                continue
            probes.setdefault(name, _probe(name, figure))
            row[name] = [figure.value, figure.low, figure.high, figure.items]
    return {"probes": probes, "values": values}


def _probe(name: str, figure: Figure) -> dict[str, Any]:
    try:
        about = metric(name)
    except KeyError:  # of a probe that another version of the flow measured
        return {"title": name, "better": figure.better, "rate": False}
    return {"title": about.title, "better": about.better, "rate": about.rate}


def curves(ledger: Ledger, outputs: Outputs) -> dict[str, list[dict[str, str]]]:
    """Stage -> its charts as SVG: loss, reward; a vertical line at each checkpoint."""
    found: dict[str, list[dict[str, str]]] = {}
    for stage in dict.fromkeys(record.step for record in ledger.checkpoints()):
        table = model.table(ledger, outputs, stage, "metrics.parquet")
        if table.is_empty() or "step" not in table.columns:
            continue
        table = table.sort("step")
        marks = [r.trained[1] for r in ledger.checkpoints(stage) if r.trained and r.trained[1]]
        for column, title, unit in _CURVES:
            if column not in table.columns or (column == "loss" and "reward" in table.columns):
                continue  # a policy gradient's loss shows nothing
            rows = table.drop_nulls(column)
            if rows.is_empty():
                continue
            line = thin(Series(title, rows["step"].to_list(), rows[column].to_list()))
            drawn = plots.lines(
                [line], title=f"{stage}: {title} by step", size=(520, 190), marks=marks
            )
            kind = ledger.checkpoints(stage)[-1].kind
            if column == "loss" and kind is not None and kind.unit == "pairs":
                unit = "nats per pair"
            found.setdefault(stage, []).append({"title": title, "unit": unit, "svg": drawn})
    return found


def thin(line: Series) -> Series:
    """At most `POINTS` points of the running mean, the last one among them."""
    every = -(-len(line.steps) // POINTS)
    if every == 1:
        return line
    smooth = plots.smooth(line, every)
    places = range(len(line.steps) - 1, -1, -every)
    chosen = sorted(places)
    return Series(line.name, [line.steps[i] for i in chosen], [smooth.values[i] for i in chosen])


def about(ledger: Ledger) -> dict[str, dict[str, str]]:
    """Stage -> title, what was done and what it learned from, by the record of its last checkpoint."""
    known = {record.name: artifact(record.raw) for record in ledger.records}
    last = {record.step: record for record in ledger.checkpoints()}
    found = {}
    for name, record in last.items():
        stage = history(known, known[record.name], METHODS)[-1]
        found[name] = {"title": stage.title, "what": stage.method.text, "reads": stage.reads.text}
    return found
