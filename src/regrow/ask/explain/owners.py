"""Which document, example, pair or task each place of an index belongs to."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.index.search import Index
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.run import Run

Ints = NDArray[np.int64]


class Owners:
    """Places to owners, by number; `ids[number]` is the id."""

    def __init__(self, ids: pl.Series, starts: Ints | None = None, length: int = 0) -> None:
        """`ids`: of each piece in order; `starts`: where it begins in a stream of rows of `length`.

        Without starts every row is a piece.
        """
        known = ids.unique(maintain_order=True)
        self.ids: list[str] = known.to_list()
        numbers = pl.DataFrame({"id": known}).with_row_index("number")
        joined = pl.DataFrame({"id": ids}).join(numbers, on="id", how="left", maintain_order="left")
        self._numbers = joined["number"].to_numpy().astype(np.int64)
        self._starts, self._length = starts, length

    def at(self, rows: Ints, offsets: Ints) -> Ints:
        """Numbers of the owners of places: (places,)."""
        if self._starts is None:
            return self._numbers[rows]
        place = rows * self._length + offsets
        return self._numbers[np.searchsorted(self._starts, place, side="right") - 1]


def owners(run: Run, index: Index) -> Owners:
    """The owners of the places of a run's index."""
    if isinstance(run, Packs):
        table = pl.read_parquet(run.index, columns=["id", "start"], glob=False)
        return Owners(table["id"], table["start"].to_numpy(), run.sequence_length)
    return Owners(index.rows["id"])
