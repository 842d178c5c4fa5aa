"""What a lookup holds of a Parquet table, read group by group: keys of a column, and rows without bulk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.evidence.lookup import keys
from regrow.evidence.lookup.grow import Entries
from regrow.evidence.lookup.keys import Kind

AT_ONCE = 1 << 16
"""rows of short columns that are read at a time"""
WHOLE = 1 << 12
"""rows with their texts that are read at a time"""
NUMBERS = frozenset({"step", "start"})
"""columns that are looked up by number"""
HASHED = frozenset({"item", "url", "question", "detail"})
"""columns that are looked up by the whole value only"""
_HEX = re.compile(r"[0-9a-f]+")


def kind_of(path: Path, column: str) -> Kind:
    """How the values of a column become keys. Ids are `hex` where every one of them is."""
    if column in NUMBERS:
        return "number"
    if column in HASHED:
        return "hash"
    values = pl.scan_parquet(path, glob=False).select(
        pl.col(column).str.contains(r"^[0-9a-f]+$").all()
    )
    return "hex" if values.collect().item() else "text"


def entries(path: Path, column: str, kind: Kind) -> Iterator[Entries]:
    """Keys of a column and the numbers of its rows, in the order of the table; nulls left out.

    Raises:
        polars.exceptions.ColumnNotFoundError: the table has no such column.
    """
    table = pl.scan_parquet(path, glob=False)
    total = table.select(pl.len()).collect().item()
    for start in range(0, total, AT_ONCE):
        values = table.slice(start, AT_ONCE).select(column).collect().to_series()
        numbers = np.flatnonzero(values.is_not_null().to_numpy()) + start
        held = values.drop_nulls().to_list()
        if column == "url":
            held = [keys.bare(url) for url in held]
        yield keys.keys(kind, held), numbers.astype(np.uint64)


def has(path: Path, column: str) -> bool:
    """Whether the table has the column."""
    return column in pl.read_parquet_schema(path)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows in their order, `brief`."""
    schema = pl.read_parquet_schema(path)
    table = pl.scan_parquet(path, glob=False)
    total = table.select(pl.len()).collect().item()
    shown = brief(dict(schema))
    for start in range(0, total, WHOLE):
        yield from table.slice(start, WHOLE).select(shown).collect().iter_rows(named=True)


def brief(schema: dict[str, pl.DataType]) -> list[pl.Expr]:
    """A row without what is long: of lists the length, of documents the number of characters.

    Lists of true and false give the number of true ones (`mask` of an example: the tokens learned).
    """
    document = "text" in schema and ("url" in schema or "parent" in schema)
    shown = []
    for name, kind in schema.items():
        column = pl.col(name)
        if kind == pl.List(pl.Boolean):
            shown.append(column.list.sum().alias("learned" if name == "mask" else name))
        elif isinstance(kind, pl.List):
            shown.append(column.list.len().cast(pl.Int64))
        elif name == "text" and document:
            shown.append(column.str.len_chars().alias("characters"))
        else:
            shown.append(column)
    return shown
