"""Facts about the model: losses, bits per byte by checkpoint, samples, what it was fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.pages.series import Series
from regrow.evidence.record import Record
from regrow.publish.report.about import averaged, lasts
from regrow.publish.report.results import TEXT, Results
from regrow.release.composition import Share, documents, shares


@dataclass(frozen=True)
class Curve:
    """Training loss."""

    loss: Series
    skipped: list[int]
    """steps that were skipped as outliers"""
    tokens: int


def table(ledger: Ledger, outputs: Outputs, stage: str, file: str) -> pl.DataFrame:
    """A table that every checkpoint of a stage has a part of, whole; empty where none is on disk."""
    frames = [
        frame.collect()
        for record in ledger.checkpoints(stage)
        if (frame := outputs.table(record.name, file)) is not None
    ]
    frames = [frame for frame in frames if frame.height]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def curve(ledger: Ledger, outputs: Outputs, stage: str, name: str = "") -> Curve | None:
    """The loss of all segments of a stage, None where no metrics are on disk."""
    found = table(ledger, outputs, stage, "metrics.parquet")
    if found.is_empty():
        return None
    found = found.sort("step")
    return Curve(
        Series(name or stage, found["step"].to_list(), found["loss"].to_list()),
        found.filter(pl.col("skipped"))["step"].to_list(),
        int(found["tokens"].to_list()[-1]),
    )


def rewards(ledger: Ledger, outputs: Outputs, stage: str, name: str) -> Series | None:
    """Mean reward of the answers of each step, None where no rollouts are on disk."""
    found = table(ledger, outputs, stage, "rollouts.parquet")
    if found.is_empty():
        return None
    means = found.group_by("step").agg(pl.col("reward").mean()).sort("step")
    return Series(name, means["step"].to_list(), means["reward"].to_list())


def scores(results: Results) -> list[Series]:
    """Bits per byte with intervals over pretraining: overall first, then each domain."""
    made = [r for r in results.ledger.checkpoints() if r in results and _pretrained(r)]
    if not made:
        return []
    found = []
    for family in ("", *results.families(made[-1], TEXT)):
        rows = [
            (record.trained[1], figure)
            for record in made
            if record.trained and (figure := results.figure(record, TEXT, family))
        ]
        found.append(
            Series(
                family or "overall",
                [step for step, _ in rows],
                [figure.value for _, figure in rows],
                [figure.low for _, figure in rows],
                [figure.high for _, figure in rows],
            )
        )
    return found


def _pretrained(record: Record) -> bool:
    return (
        record.kind is not None and record.kind.name == "pretrain" and record.step == record.stage
    )


def samples(ledger: Ledger, outputs: Outputs) -> list[dict[str, Any]]:
    """Text that checkpoints grew: stage, step, temperature, samples (prompt, text); pretraining's all,
    of later stages the last."""
    found = []
    for stage, end in lasts(ledger).items():
        if end.is_control or averaged(ledger, end):
            continue
        for record in ledger.checkpoints(stage) if _pretrained(end) else [end]:
            evaluated = ledger.about("evaluate", record)
            content = outputs.json(evaluated.name, "samples.json") if evaluated else None
            grown = [
                s for s in (content or {}).get("samples", []) if s.get("form", "text") == "text"
            ]
            if grown and record.trained:
                found.append({"stage": stage, "step": record.trained[1], "samples": grown})
    return found


def texts(outputs: Outputs) -> pl.DataFrame | None:
    """The documents that pretraining may draw on and those held out, None where they are not on disk."""
    train = outputs.path("decontaminate", "train.parquet")
    held = outputs.path("decontaminate", "heldout.parquet")
    mix = outputs.path("mix", "mix.parquet")
    return documents(train.parent, mix.parent) if train and held and mix else None


def composition(outputs: Outputs) -> dict[str, list[Share]]:
    """What training draws on, by source, licence and topic; {} where the tables are not on disk."""
    rows = texts(outputs)
    if rows is None:
        return {}
    return {column: shares(rows, column) for column in ("source", "licence", "topic")}
