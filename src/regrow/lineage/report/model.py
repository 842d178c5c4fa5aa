"""Facts about the model: losses, bits per byte by checkpoint, samples, what it was fed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from regrow.lineage.ledger import Ledger
from regrow.lineage.shelf import Shelf
from regrow.release.composition import Share, documents, shares


@dataclass(frozen=True)
class Series:
    """A figure over training steps."""

    name: str
    steps: list[int]
    values: list[float]
    low: list[float] = field(default_factory=list)
    """ends of the 95 % interval, where there is one"""
    high: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Curve:
    """Training loss."""

    loss: Series
    skipped: list[int]
    """steps that were skipped as outliers"""
    tokens: int


def curve(ledger: Ledger, shelf: Shelf) -> Curve | None:
    """The loss of all segments, None where no metrics are on disk."""
    frames = [
        frame.collect()
        for record in ledger.of_step("pretrain")
        if (frame := shelf.table(record.name, "metrics.parquet")) is not None
    ]
    table = pl.concat([frame for frame in frames if frame.height] or [pl.DataFrame()])
    if table.is_empty():
        return None
    table = table.sort("step")
    return Curve(
        Series("training loss", table["step"].to_list(), table["loss"].to_list()),
        table.filter(pl.col("skipped"))["step"].to_list(),
        int(table["tokens"].to_list()[-1]),
    )


def scores(ledger: Ledger, shelf: Shelf) -> list[Series]:
    """Bits per byte with intervals by checkpoint: overall first, then each domain."""
    points: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for record in ledger.of_step("evaluate"):
        results = shelf.json(record.name, "results.json")
        if results is None or record.trained is None or record.trained[0] != "pretrain":
            continue
        step = record.trained[1]
        points.setdefault("overall", []).append((step, results["overall"]))
        for name, figure in results["domains"].items():
            points.setdefault(name, []).append((step, figure))
    return [
        Series(
            name,
            [step for step, _ in rows],
            [figure["bits_per_byte"] for _, figure in rows],
            [figure["low"] for _, figure in rows],
            [figure["high"] for _, figure in rows],
        )
        for name, rows in points.items()
    ]


def samples(ledger: Ledger, shelf: Shelf) -> list[dict[str, Any]]:
    """Samples of text by checkpoint: step, temperature, samples (prompt, text)."""
    found = []
    for record in ledger.of_step("evaluate"):
        content = shelf.json(record.name, "samples.json")
        if content is not None and record.trained is not None:
            found.append({"stage": record.trained[0], "step": record.trained[1], **content})
    return found


def composition(shelf: Shelf) -> dict[str, list[Share]]:
    """What training draws on, by source, licence and topic; {} where the tables are not on disk."""
    train = shelf.path("decontaminate", "train.parquet")
    held = shelf.path("decontaminate", "heldout.parquet")
    mix = shelf.path("mix", "mix.parquet")
    if not (train and held and mix):
        return {}
    table = documents(train.parent, mix.parent)
    return {column: shares(table, column) for column in ("source", "licence", "topic")}
