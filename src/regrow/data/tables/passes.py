"""Passes over a table in the order of its keys: some rows are in memory at a time, and no column as a whole."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regrow.data.tables import stream
from regrow.data.tables.conservation import Lost, balanced
from regrow.data.tables.stream import Row, Schema

_NAMED = 5


def schema(path: Path, needed: Iterable[str], before: str) -> Schema:
    """The columns of a table.

    Raises:
        ValueError: one of `needed` is missing (the step `before` writes them), or one is of a kind that no table of
            the flow has.
    """
    missing = set(needed) - set(pq.read_schema(path).names)
    if missing:
        raise ValueError(f"{path.name}: no column {sorted(missing)}; rerun the {before} step")
    try:
        return stream.schema_of([path])
    except KeyError as error:
        raise ValueError(
            f"{path.name}: a column of type {error.args[0]}; documents carry text, numbers, booleans and bytes: "
            f"cast it, or leave it out, and rerun the {before} step"
        ) from error


def ordered(path: Path, columns: Schema, keys: Sequence[str], scratch: Path) -> Path:
    """A table whose rows are sorted by `keys`: `path` itself if it is such a table, else a copy in `scratch`.

    Rows with equal keys are sorted by their other columns, so the order of the rows of `path` decides nothing.
    """
    if _ascends(path, keys):
        return path
    scratch.mkdir(parents=True, exist_ok=True)
    names = list(columns)
    runs = stream.sorted_runs(stream.rows(path, names), columns, keys, scratch, "run")
    target = scratch / "ordered.parquet"
    kept = stream.write(target, columns, stream.merged(runs, keys, scratch))
    balanced("sorting", f"rows of {path.name}", pq.read_metadata(path).num_rows, kept=kept)
    for run in runs:
        run.unlink()
    return target


def _ascends(path: Path, keys: Sequence[str]) -> bool:
    """Whether the keys ascend strictly."""
    last: tuple[str, ...] | None = None
    for row in stream.rows(path, keys):
        now = stream.key(row, keys)
        if last is not None and now <= last:
            return False
        last = now
    return True


def heads(path: Path, columns: Sequence[str], measured: str) -> Iterator[tuple[Row, int]]:
    """Some columns of every row, and how many characters another one has (0 for a null)."""
    for batch in stream.batches(path, [*columns, measured]):
        sizes = [size or 0 for size in pc.utf8_length(batch[measured]).to_pylist()]
        yield from zip(batch.select(list(columns)).to_pylist(), sizes, strict=True)


def picked(
    path: Path, by: Sequence[str], wanted: Callable[[int, Row], bool], columns: Sequence[str]
) -> Iterator[tuple[int, Row]]:
    """The rows that are wanted, with their places in the table (from 0).

    Args:
        by: columns that `wanted` reads; it is asked once for each row, in order.
        columns: of the rows that are given back.
    """
    first = 0
    for batch in stream.batches(path, list(dict.fromkeys([*by, *columns]))):
        asked = batch.select(list(by)).to_pylist() if by else [{}] * batch.num_rows
        places = [place for place, row in enumerate(asked) if wanted(first + place, row)]
        if places:
            found = (
                batch.select(list(columns))
                .take(pl.Series(places, dtype=pl.Int64).to_arrow())
                .to_pylist()
            )
            yield from ((first + place, row) for place, row in zip(places, found, strict=True))
        first += batch.num_rows


def conserved(
    step: str, what: str, came: Iterable[str], kept: Iterable[str], dropped: Iterable[str]
) -> None:
    """Check that what came in is what was kept and what was dropped, as `regrow.data.tables.conservation` does.

    The ids come sorted, so that none need be held. One that came twice must be kept or dropped twice.

    Raises:
        Lost: with the counts, the difference, and some of the ids that are missing or too many.
    """
    before, stay, gone = _Counted(came), _Counted(kept), _Counted(dropped)
    missing, extra = _Difference(), _Difference()
    after = iter(heapq.merge(stay, gone))
    one, other = next(before, None), next(after, None)
    while one is not None or other is not None:
        if one == other:
            one, other = next(before, None), next(after, None)
        elif other is None or (one is not None and one < other):
            missing.add(one or "")
            one = next(before, None)
        else:
            extra.add(other)
            other = next(after, None)
    if missing.count or extra.count:
        raise Lost(
            f"{step}: {before.count} {what} in, {stay.count} kept and {gone.count} dropped: "
            f"{missing.said('without a trace')}, {extra.said('too many')}; "
            "the step is at fault: please report it"
        )


class _Counted(Iterator[str]):
    """Counts what it gives."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = iter(ids)
        self.count = 0

    def __next__(self) -> str:
        found = next(self._ids)
        self.count += 1
        return found


class _Difference:
    def __init__(self) -> None:
        self.count = 0
        self._some: list[str] = []

    def add(self, found: str) -> None:
        self.count += 1
        if len(self._some) < _NAMED:
            self._some.append(found)

    def said(self, how: str) -> str:
        return f"{self.count} {how}" + (f" ({', '.join(self._some)})" if self._some else "")


def ids(path: Path) -> Iterator[str]:
    """The ids of a table, in its order; a null is an empty one."""
    return (row["id"] or "" for row in stream.rows(path, ["id"]))
