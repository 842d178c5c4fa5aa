"""The metrics of a segment, one row per step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from regrow.tables import parquet

SCHEMA: dict[str, type[pl.DataType]] = {
    "step": pl.Int64,
    "loss": pl.Float64,  # cross-entropy, nats per predicted token
    "z_loss": pl.Float64,
    "grad_norm": pl.Float64,  # before clipping
    "lr": pl.Float64,
    "tokens": pl.Int64,  # seen up to and including this step
    "skipped": pl.Boolean,
}


@dataclass(frozen=True)
class Row:
    """The metrics of one step."""

    step: int
    loss: float
    z_loss: float
    grad_norm: float
    lr: float
    tokens: int
    skipped: bool


def write(rows: list[Row], path: Path) -> None:
    """Write rows as Parquet."""
    parquet.write(pl.DataFrame([asdict(row) for row in rows], schema=SCHEMA), path)


def read(path: Path) -> list[Row]:
    """Read rows."""
    return [Row(**row) for row in parquet.read(path).to_dicts()]
