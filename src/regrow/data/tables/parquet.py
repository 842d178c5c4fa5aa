"""Write and read tables so that equal rows give equal bytes.

Every table of the flow goes through `write`: one chunk, fixed row groups, fixed
codec and level, no statistics that depend on the writer's threads. The table of
dropped documents has one schema for the whole flow, so that `regrow trace` can
read every step's drops alike.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

ROW_GROUP = 16_384

DROPS: dict[str, type[pl.DataType]] = {
    "id": pl.String,  # document id (see regrow.data.text)
    "url": pl.String,
    "step": pl.String,  # step that dropped it
    "reason": pl.String,  # short machine-readable reason, e.g. "repetition.lines"
    "value": pl.Float64,  # measured value, null where a reason has none
    "threshold": pl.Float64,  # threshold it failed, null where there is none
    "detail": pl.String,  # free text, e.g. the id of the document it duplicates
}


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` to `path` as Parquet with bytes that depend on its rows alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.rechunk().write_parquet(
        path,
        compression="zstd",
        compression_level=3,
        statistics=True,
        row_group_size=ROW_GROUP,
        use_pyarrow=False,
    )


def read(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a table (all of it, or some columns)."""
    return pl.read_parquet(path, columns=columns, glob=False)


def drops(rows: list[dict[str, object]]) -> pl.DataFrame:
    """A table of dropped documents from rows; missing fields become null, sorted by id.

    Raises:
        ValueError: a row has a field that the schema does not name.
    """
    for row in rows:
        unknown = set(row) - set(DROPS)
        if unknown:
            raise ValueError(
                f"drops: unknown fields {sorted(unknown)}; the schema is {list(DROPS)}"
            )
    frame = pl.DataFrame([{k: row.get(k) for k in DROPS} for row in rows], schema=DROPS)
    return frame.sort(["id", "reason", "detail"], nulls_last=True)
