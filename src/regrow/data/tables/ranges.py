"""Ranges of the rows of a table, so that several jobs share its documents, and what those jobs made, in order.

A step that is cut asks one job to prepare what all need, then one job for each range, and gathers. Where a recipe does
not cut it, the step does the same three things in one process with `WHOLE`, so that both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from regrow import selection
from regrow.data.tables import passes
from regrow.data.tables.stream import Rows, Schema

WHOLE = selection.instance(0, 1)
PART = "part."
"""how the inputs of a step that gathers begin: `part.003of016`"""
_ORDERED = "ordered.parquet"


def of(path: Path, instance: str) -> Rows:
    """The rows of a table that are a part of it, `003of016`: as many as of any other part, or one less."""
    part, parts = selection.place_of(instance)
    rows = pq.read_metadata(path).num_rows
    return rows * part // parts, rows * (part + 1) // parts


def made(inputs: Mapping[str, Path]) -> list[Path]:
    """The folders that the jobs of all parts filled, in the order of the rows; [] where a step is not cut.

    Raises:
        ValueError: a part is missing.
    """
    named = sorted(
        (selection.place_of(name.removeprefix(PART)), path)
        for name, path in inputs.items()
        if name.startswith(PART)
    )
    count = named[0][0][1] if named else 0
    if [place for place, _ in named] != [(part, count) for part in range(count)]:
        raise ValueError(f"{len(named)} parts of {count} are there; rerun the steps of the parts")
    return [path for _, path in named]


def prepare(path: Path, columns: Schema, keys: Sequence[str], output: Path) -> Path:
    """The table in the order of `keys`, for all jobs that share it: of one that is not sorted, a copy in `output`."""
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as scratch:
        table = passes.ordered(path, columns, keys, Path(scratch))
        return path if table == path else table.replace(output / _ORDERED)


def prepared(path: Path, output: Path) -> Path:
    """What `prepare` gave."""
    copy = output / _ORDERED
    return copy if copy.exists() else path
