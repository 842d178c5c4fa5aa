"""The metrics of a segment, one row per step."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from regrow.data.tables import parquet

SCHEMA: dict[str, type[pl.DataType]] = {
    "step": pl.Int64,
    "loss": pl.Float64,  # what the objective minimises; LM: cross-entropy, nats per token
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
    extra: dict[str, float] = field(default_factory=dict)
    """what the objective and the source add, by column"""


def write(rows: list[Row], path: Path) -> None:
    """Write rows as Parquet; every row has the same extra columns, which come last, sorted."""
    names = sorted({name for row in rows for name in row.extra})
    table = []
    for row in rows:
        values = asdict(row)
        extra = values.pop("extra")
        table.append(values | {name: extra.get(name) for name in names})
    schema = SCHEMA | {name: pl.Float64 for name in names}
    parquet.write(pl.DataFrame(table, schema=schema), path)


def read(path: Path) -> list[Row]:
    """Read rows."""
    rows = []
    for values in parquet.read(path).to_dicts():
        extra = {name: values.pop(name) for name in list(values) if name not in SCHEMA}
        rows.append(Row(**values, extra={k: v for k, v in extra.items() if v is not None}))
    return rows
