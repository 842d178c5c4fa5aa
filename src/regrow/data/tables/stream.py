"""Tables that are written and merged row by row: memory does not grow with them.

Rows are sorted by their key columns. The bytes of a table depend on its rows alone: a small table is one row group, as
`regrow.data.tables.parquet` writes it; of a larger one a row group ends where rows or characters reach a limit,
wherever the rows came from.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, repeat
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from regrow.data.tables import parquet

SMALL = 32 << 20
"""characters (and 200 for a row) up to which a table is small"""
GROUP_ROWS = 2_048
GROUP_SIZE = 8 << 20
"""of a row group of a larger table, in the same measure; one long row may have more"""
BATCH = 1 << 20
"""bytes of a row group that are decoded at once, as far as its rows are alike; one row at least"""
RUN_SIZE = 1 << 20
"""of a row group of a table that is only merged: one of each such table is held"""
FAN_IN = 16
"""tables merged at once; more are merged in rounds"""

Row = dict[str, Any]
Rows = tuple[int, int]
"""a range of the rows of a table: the place of the first, counted from 0, and the place behind the last"""
Schema = Mapping[str, type[pl.DataType]]
_ARROW: dict[type[pl.DataType], pa.DataType] = {
    pl.String: pa.large_string(), pl.Float64: pa.float64(), pl.Int64: pa.int64(), pl.Int32: pa.int32(),
    pl.UInt64: pa.uint64(), pl.UInt32: pa.uint32(), pl.Boolean: pa.bool_(), pl.Binary: pa.large_binary(),
}  # fmt: skip


class Writer:
    """A Parquet file that is written a row at a time, in the order in which rows come."""

    def __init__(self, path: Path, schema: Schema, whole: bool = True) -> None:
        """`whole`: a small table is one row group. Tables that are only merged have small groups from the start."""
        self.rows = 0
        """that were added"""
        self._path, self._schema = path, dict(schema)
        self._arrow = pa.schema([(name, _ARROW[kind]) for name, kind in schema.items()])
        self._file: pq.ParquetWriter | None = None
        self._small, self._most = (SMALL, GROUP_SIZE) if whole else (-1, RUN_SIZE)
        self._held: list[Row] = []
        self._size = 0
        path.parent.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._file is None:
            parquet.write(_frame(self._held, self._schema), self._path)
        elif error is None:
            self._groups(last=True)
        if self._file is not None:
            self._file.close()

    def add(self, row: Row) -> None:
        """Append a row; fields that it lacks are null."""
        self._held.append(row)
        self._size += size(row)
        self.rows += 1
        if self._file is None and (self._size > self._small or self.rows > parquet.ROW_GROUP):
            self._file = pq.ParquetWriter(
                self._path, self._arrow, compression="zstd", compression_level=3, store_schema=False
            )
        if self._file is not None and (len(self._held) >= GROUP_ROWS or self._size >= self._most):
            self._groups()

    def _groups(self, last: bool = False) -> None:
        """Write what is held as row groups; what does not fill one waits unless it is the last."""
        group: list[Row] = []
        total = 0
        for row in self._held:
            group.append(row)
            total += size(row)
            if len(group) >= GROUP_ROWS or total >= self._most:
                self._group(group)
                group, total = [], 0
        if last and group:
            self._group(group)
            group, total = [], 0
        self._held, self._size = group, total

    def _group(self, rows: list[Row]) -> None:
        assert self._file is not None
        self._file.write_table(arrow(_frame(rows, self._schema), self._arrow), len(rows))


def write(path: Path, schema: Schema, rows: Iterable[Row], whole: bool = True) -> int:
    """Write rows in the order in which they come, as a `Writer` does; how many there are."""
    with Writer(path, schema, whole) as writer:
        for row in rows:
            writer.add(row)
    return writer.rows


def _frame(rows: Sequence[Row], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)


def arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """A frame as a table of Arrow with this schema.

    `pyarrow.array` would load pandas where that is installed, which no key of a step counts.
    """
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)


def size(row: Row) -> int:
    """The measure of a row in limits: its characters, and 200."""
    return 200 + sum(len(value) for value in row.values() if isinstance(value, str))


def schema_of(files: Iterable[Path]) -> dict[str, type[pl.DataType]]:
    """The columns of tables, each where it is first seen; some may lack columns of others."""
    kinds = {str(arrow): kind for kind, arrow in _ARROW.items()} | {
        "string": pl.String,
        "null": pl.String,
    }
    found: dict[str, type[pl.DataType]] = {}
    for path in files:
        for column in pq.read_schema(path):
            found.setdefault(column.name, kinds[str(column.type)])
    return found


def rows(
    path: Path, columns: Sequence[str] | None = None, within: Rows | None = None
) -> Iterator[Row]:
    """The rows of a table in order (all columns, or some), about `BATCH` in memory at a time.

    `within`: only the rows from the first of these places to the one before the second, counted from 0.
    """
    for batch in batches(path, columns, within):
        yield from batch.to_pylist()


def batches(
    path: Path, columns: Sequence[str] | None = None, within: Rows | None = None
) -> Iterator[pa.RecordBatch]:
    """The same as batches of rows, however large the row groups are; of others than those asked for nothing is read."""
    names = None if columns is None else list(columns)
    end = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            held = file.metadata.row_group(group)
            place, end = end, end + held.num_rows
            if within is not None and (end <= within[0] or within[1] <= place):
                continue
            size = max(1, min(GROUP_ROWS, held.num_rows * BATCH // max(1, held.total_byte_size)))
            for batch in file.iter_batches(
                size, row_groups=[group], columns=names, use_threads=False
            ):
                found = batch if within is None else _inside(batch, place, within)
                place += batch.num_rows
                if found.num_rows:
                    yield found


def _inside(batch: pa.RecordBatch, place: int, within: Rows) -> pa.RecordBatch:
    """The rows of a batch that are in a range of the table; `place`: that of its first row."""
    first = min(max(within[0] - place, 0), batch.num_rows)
    return batch.slice(first, max(0, min(within[1] - place, batch.num_rows) - first))


def merged(files: Sequence[Path], keys: Sequence[str], scratch: Path) -> Iterator[Row]:
    """The rows of sorted tables, sorted by `keys` as a whole; equal rows come as often as they are there.

    Rows with equal keys come in the order of their other columns, so that the order of the files decides nothing.

    Args:
        files: tables of one schema, each sorted by `keys`.
        scratch: a folder for what is merged in between where there are more than `FAN_IN` tables.
    """
    left, number = list(files), 0
    while len(left) > FAN_IN:
        schema = schema_of(files)
        joined = []
        for at in range(0, len(left), FAN_IN):
            place = scratch / f"merged-{number:05d}.parquet"
            number += 1
            write(place, schema, _merged(left[at : at + FAN_IN], keys), whole=False)
            joined.append(place)
        left = joined
    yield from _merged(left, keys)


def _merged(files: Sequence[Path], keys: Sequence[str]) -> Iterator[Row]:
    def by(row: Row) -> tuple[str, ...]:
        return key(row, keys)

    for _, equal in groupby(heapq.merge(*map(rows, files), key=by), by):
        yield from _ordered(equal)


def key(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    """What a row is sorted by."""
    return tuple("" if row[name] is None else str(row[name]) for name in keys)


def _ordered(equal: Iterator[Row]) -> Iterator[Row]:
    """Rows with equal keys, in the order of their other columns; of equal rows, however many, one is held.

    A column that a table lacks is null there, so nulls decide nothing.
    """
    first, second = next(equal), next(equal, None)
    if second is None:
        yield first
        return
    held: dict[str, tuple[Row, int]] = {}
    for row in chain((first, second), equal):
        there = {name: value for name, value in row.items() if value is not None}
        said = json.dumps(there, sort_keys=True, ensure_ascii=False)
        held[said] = held.get(said, (row, 0))[0], held.get(said, (row, 0))[1] + 1
    for said in sorted(held):
        row, times = held[said]
        yield from repeat(row, times)


def sorted_runs(
    rows_in_any_order: Iterable[Row],
    schema: Schema,
    keys: Sequence[str],
    scratch: Path,
    name: str,
    run_size: int = SMALL,
) -> list[Path]:
    """Write rows as sorted tables of about `run_size` characters each, to be `merged`; nothing else is held."""
    runs = Runs(schema, keys, scratch, name, run_size)
    for row in rows_in_any_order:
        runs.add(row)
    return runs.files()


class Runs:
    """The same for rows that come one by one, among others."""

    def __init__(
        self, schema: Schema, keys: Sequence[str], scratch: Path, name: str, run_size: int = SMALL
    ) -> None:
        self._schema, self._keys, self._most = schema, keys, run_size
        self._scratch, self._name = scratch, name
        self._made: list[Path] = []
        self._held: list[Row] = []
        self._size = 0

    def add(self, row: Row) -> None:
        """Take a row."""
        self._held.append(row)
        self._size += size(row)
        if self._size >= self._most:
            self._flush()

    def files(self) -> list[Path]:
        """The tables, one at least; no row is added afterwards."""
        if self._held or not self._made:
            self._flush()
        return self._made

    def _flush(self) -> None:
        place = self._scratch / f"{self._name}-{len(self._made):05d}.parquet"
        rows = sorted(self._held, key=lambda row: key(row, self._keys))
        write(place, self._schema, rows, whole=False)
        self._made.append(place)
        self._held, self._size = [], 0
