"""Tables that are written and merged row by row: memory does not grow with them.

Rows are sorted by their key columns. The bytes of a table depend on its rows alone: a row group ends where rows or
bytes of text reach a limit, wherever the rows came from.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 2_048
GROUP_BYTES = 8 << 20
"""characters of text in a row group at most, but for one long row"""
FAN_IN = 64
"""tables merged at once; more are merged in rounds"""

Row = dict[str, Any]
_ARROW = {pl.String: pa.large_string(), pl.Float64: pa.float64(), pl.Int64: pa.int64()}


class Writer:
    """A Parquet file that is written a row at a time, in the order in which rows come."""

    def __init__(self, path: Path, schema: Mapping[str, type[pl.DataType]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._schema = pa.schema([(name, _ARROW[kind]) for name, kind in schema.items()])
        self._file = pq.ParquetWriter(
            path, self._schema, compression="zstd", compression_level=3, store_schema=False
        )
        self._rows: list[Row] = []
        self._size = 0
        self.rows = 0
        """that were added"""

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._file.close()

    def add(self, row: Row) -> None:
        """Append a row; fields that it lacks are null."""
        self._rows.append(row)
        self._size += sum(len(value) for value in row.values() if isinstance(value, str))
        self.rows += 1
        if len(self._rows) >= GROUP_ROWS or self._size >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            columns = {
                field.name: pa.array([row.get(field.name) for row in self._rows], field.type)
                for field in self._schema
            }
            table = pa.table(columns, schema=self._schema)
            self._file.write_table(table, row_group_size=len(self._rows))
        self._rows, self._size = [], 0


def schema_of(files: Iterable[Path]) -> dict[str, type[pl.DataType]]:
    """The columns of tables, each where it is first seen; some may lack columns of others."""
    kinds = {str(arrow): kind for kind, arrow in _ARROW.items()}
    kinds["string"] = pl.String  # as a file without the schema of Arrow says it
    found: dict[str, type[pl.DataType]] = {}
    for path in files:
        for column in pq.read_schema(path):
            found.setdefault(column.name, kinds[str(column.type)])
    return found


def rows(path: Path) -> Iterator[Row]:
    """The rows of a table in order, a row group in memory at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, use_threads=False).to_pylist()


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
            with Writer(place, schema) as writer:
                for row in _merged(left[at : at + FAN_IN], keys):
                    writer.add(row)
            joined.append(place)
        left = joined
    yield from _merged(left, keys)


def _merged(files: Sequence[Path], keys: Sequence[str]) -> Iterator[Row]:
    def key(row: Row) -> tuple[str, ...]:
        return _key(row, keys)

    for _, equal in groupby(heapq.merge(*map(rows, files), key=key), key=key):
        yield from _ordered(list(equal))


def _key(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple("" if row[name] is None else str(row[name]) for name in keys)


def _ordered(equal: list[Row]) -> list[Row]:
    """Rows with equal keys, in the order of their other columns."""
    if len(equal) == 1:
        return equal
    return sorted(equal, key=lambda row: json.dumps(row, sort_keys=True, ensure_ascii=False))


def sorted_runs(
    rows_in_any_order: Iterable[Row],
    schema: Mapping[str, type[pl.DataType]],
    keys: Sequence[str],
    scratch: Path,
    name: str,
    run_bytes: int = 64 << 20,
) -> list[Path]:
    """Write rows as sorted tables of about `run_bytes` characters each, to be `merged`; nothing else is held."""
    made: list[Path] = []
    held: list[Row] = []
    size = 0

    def flush() -> None:
        place = scratch / f"{name}-{len(made):05d}.parquet"
        with Writer(place, schema) as writer:
            for row in sorted(held, key=lambda row: _key(row, keys)):
                writer.add(row)
        made.append(place)
        held.clear()

    for row in rows_in_any_order:
        held.append(row)
        size += 200 + sum(len(value) for value in row.values() if isinstance(value, str))
        if size >= run_bytes:
            flush()
            size = 0
    if held or not made:
        flush()
    return made
