"""Texts and n-grams of a few documents of a large table, by their rows; what was read last is kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regrow.data.dedup.shingles import Shingler
from regrow.data.tables.stream import Row

_GROUPS = 64 << 20
"""characters of row groups that are kept"""
_GRAMS = 32 << 20
"""n-grams that are kept (8 bytes each)"""
_WORDS = 1 << 20


class Texts:
    """A table of documents, read where it is asked for."""

    def __init__(self, path: Path, n: int) -> None:
        self._file = pq.ParquetFile(path)
        meta = self._file.metadata
        sizes = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])
        self._groups: OrderedDict[int, tuple[list[Row], int]] = OrderedDict()
        self._sequences: OrderedDict[int, NDArray[np.uint64]] = OrderedDict()
        self._held = self._kept = 0
        self._n, self._shingler = n, Shingler(n)

    def about(self, row: int) -> tuple[str, str, str]:
        """URL, source and id of a document."""
        found = self._row(row)
        return found["url"] or "", found["source"] or "", found["id"]

    def sequence(self, row: int) -> NDArray[np.uint64]:
        """The n-grams of a document in order of place."""
        if (known := self._sequences.get(row)) is not None:
            self._sequences.move_to_end(row)
            return known
        if self._shingler.known > _WORDS:
            self._shingler = Shingler(self._n)
        made = self._shingler.sequence(self._row(row)["text"] or "")
        self._sequences[row] = made
        self._held += len(made)
        while self._held > _GRAMS and len(self._sequences) > 1:
            _, old = self._sequences.popitem(last=False)
            self._held -= len(old)
        return made

    def sequences(self, rows: Iterable[int]) -> list[NDArray[np.uint64]]:
        """The n-grams of several documents."""
        return [self.sequence(row) for row in rows]

    def _row(self, row: int) -> Row:
        group = int(np.searchsorted(self._starts, row, "right")) - 1
        if group not in self._groups:
            columns = ["id", "url", "source", "text"]
            rows = self._file.read_row_group(group, columns=columns, use_threads=False).to_pylist()
            size = sum(len(one["text"] or "") for one in rows)
            self._groups[group] = rows, size
            self._kept += size
            while self._kept > _GROUPS and len(self._groups) > 1:
                _, (_, old) = self._groups.popitem(last=False)
                self._kept -= old
        self._groups.move_to_end(group)
        return self._groups[group][0][row - int(self._starts[group])]
