"""The step that joins conversations: examples of several data sets, in given shares of the examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import shares as sharing
from regrow.learn.tasks.sft.conversations import BRANCHES
from regrow.learn.tasks.sft_data import SCHEMA

TABLE = "joined.parquet"
ORIGINS: dict[str, type[pl.DataType]] = {
    "branch": pl.String,
    "id": pl.String,  # of the joined example; null: left over
    "source": pl.String,  # the data set that it is from
    "example": pl.String,  # its id there
    "copy": pl.Int32,  # from 0; null: left over
}
"""joined.parquet: a row per example, and per example that found no place"""


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    shares: dict[str, float],
    examples: int = 0,
    max_repeats: int = 1,
    instance: str | None = None,
) -> dict[str, Any]:
    """Fill `output` with think.parquet, instruct.parquet (as sft_data's) and joined.parquet.

    An example that comes again, or whose id another data set has as well, has an id of its own; its task is the same.

    Args:
        inputs: the data sets, by the names in `shares`.
        params: none are read.
        output: the folder to fill.
        shares: data set -> its share of the examples of each branch; they sum to 1.
        examples: of a branch at most; 0: as many as there are without a repeat, see `shares.sizes`.
        max_repeats: times that an example comes at most.
        instance: the name of a fork, where one of the data sets is the fork's.

    Returns, per branch, the examples, and `in`, `kept` and `left_over` of them by data set.

    Raises:
        ValueError: data sets that are too small to hold their shares.
    """
    counts: dict[str, Any] = {}
    origins: list[pl.DataFrame] = []
    for branch in BRANCHES:
        parts = {
            name: tables.read(inputs[name] / f"{branch}.parquet").select(list(SCHEMA)).sort("id")
            for name in sorted(shares)
        }
        available = {name: part.height for name, part in parts.items()}
        try:
            wanted = sharing.sizes(available, shares, most=examples, max_repeats=max_repeats)
        except ValueError as error:
            raise ValueError(f"{branch}: {error}") from None
        found: list[pl.DataFrame] = []
        about: dict[str, Any] = {}
        taken: set[str] = set()
        for name, part in parts.items():
            times = sharing.chosen(available[name], wanted[name], f"joined {branch} {name}")
            for copy, numbers in enumerate(times):
                rows = part[numbers]
                ids = [_named(id, name, copy, taken) for id in rows["id"].to_list()]
                origins.append(_origins(branch, ids, name, rows["id"], copy))
                found.append(rows.with_columns(pl.Series("id", ids, pl.String)))
            left = part if not times else part.join(part[times[0]], on="id", how="anti")
            origins.append(_origins(branch, None, name, left["id"].sort(), None))
            kept = min(available[name], wanted[name])
            balanced("joined", f"examples of {name}", part.height, kept=kept, left_over=left.height)
            about[name] = {
                "in": part.height,
                "kept": kept,
                "left_over": left.height,
                "joined": wanted[name],
                "repeats": len(times),
            }
        table = pl.concat(found).sort("id")
        balanced("joined", f"examples ({branch})", table.height, joined=sum(wanted.values()))
        tables.write(table, output / f"{branch}.parquet")
        counts[branch] = {
            "examples": table.height,
            "tokens": int(table["tokens"].list.len().cast(pl.Int64).sum()),
            "kinds": dict(sorted(Counter(table["kind"].to_list()).items())),
            "lacking": max(0, examples - table.height),
            "joined": about,
        }
    tables.write(pl.concat(origins), output / TABLE)
    return counts


def _named(id: str, source: str, copy: int, taken: set[str]) -> str:
    """The id of an example in the joined table: its own, or where that is taken one made of it."""
    found = id
    if found in taken:
        name = f"regrow joined {source}\0{id}\0{copy}"
        found = hashlib.sha256(name.encode()).hexdigest()[:32]
    taken.add(found)
    return found


def _origins(
    branch: str, ids: list[str] | None, source: str, examples: pl.Series, copy: int | None
) -> pl.DataFrame:
    count = len(examples)
    return pl.DataFrame(
        {
            "branch": [branch] * count,
            "id": [None] * count if ids is None else ids,
            "source": [source] * count,
            "example": examples.to_list(),
            "copy": [copy] * count,
        },
        schema=ORIGINS,
    )
