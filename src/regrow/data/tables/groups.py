"""Tables read a row group at a time as frames, and columns of ids: what is held does not grow with the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrow.data.tables import conservation
from regrow.data.tables.stream import Rows


def frames(
    path: Path, columns: Sequence[str], within: Rows | None = None
) -> Iterator[pl.DataFrame]:
    """These columns of a table in its order, a row group in memory at a time; `within`: of a range of its rows."""
    names = list(columns)
    end = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            place, end = end, end + file.metadata.row_group(group).num_rows
            if within is not None and (end <= within[0] or within[1] <= place):
                continue
            frame = pl.from_arrow(file.read_row_group(group, columns=names, use_threads=False))
            assert isinstance(frame, pl.DataFrame)
            if within is not None:
                first = max(within[0] - place, 0)
                frame = frame.slice(first, within[1] - place - first)
            yield frame.select(names)


def frames_of(
    path: Path, columns: Sequence[str], ids: pl.Series, within: Rows | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a table, in its order, whose `id` is one of `ids` (sorted); column `row` is the place among them."""
    names = ["id", *(name for name in columns if name != "id")]
    for frame in frames(path, names, within):
        if ids.len():
            places = ids.search_sorted(frame["id"]).clip(upper_bound=ids.len() - 1)
            yield frame.with_columns(row=places).filter(ids.gather(places) == frame["id"])


def each_once(step: str, what: str, ids: pl.Series, times: NDArray[np.int32]) -> None:
    """Check that each of `ids` came once, as `times` says of each.

    Raises:
        regrow.data.tables.conservation.Lost: one did not, or came more often.
    """
    if (times != 1).any():
        conservation.conserved(
            step, what, ids, ids.gather(np.repeat(np.arange(len(times)), times)), ()
        )


def conserved(step: str, what: str, came: pl.Series, kept: pl.Series, dropped: pl.Series) -> None:
    """As `regrow.data.tables.conservation.conserved`, of columns of ids: nothing is counted unless they differ.

    Raises:
        regrow.data.tables.conservation.Lost: an id is missing, or too many.
    """
    if not came.sort().equals(pl.concat([kept, dropped]).sort()):
        conservation.conserved(step, what, came, kept, dropped)
