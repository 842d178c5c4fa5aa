"""The hold-out of a whole table, chosen in one pass: neither its documents nor their addresses are held.

Groups of pages (`regrow.data.dedup.holdout`) are counted in memory while they are few; sorted runs of more go to disk
and are merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import polars as pl

from regrow.data.dedup import holdout
from regrow.data.tables import passes, stream
from regrow.data.tables.stream import Row
from regrow.params.data import Decontaminate

MOST = 8 << 20
"""characters (and `PER_DOCUMENT` each) of all held-out documents; only `heldout_min` in each domain go beyond"""
PER_DOCUMENT = 200
GROUPS = 1 << 15
"""that are counted in memory"""
_SCHEMA = {
    "domain": pl.String, "rank": pl.String, "group": pl.String, "documents": pl.Int64, "size": pl.Int64,
}  # fmt: skip
_KEYS = ("domain", "rank", "group")


@dataclass
class Choice:
    """Which groups are held out, and what the table has in all."""

    groups: set[str] = field(default_factory=set)
    documents: Counter[str] = field(default_factory=Counter)
    """by domain"""
    sizes: Counter[str] = field(default_factory=Counter)
    """characters, and `PER_DOCUMENT` for each document, by domain"""


def domain(row: Row, params: Decontaminate) -> str:
    """The domain of a document."""
    return holdout.domain(row["url"] or "", row["source"] or "", params.domains)


def group(row: Row, domain: str) -> str:
    """The name of a document's group."""
    return holdout.group(row["url"] or "", domain)


def choose(table: Path, params: Decontaminate, scratch: Path) -> Choice:
    """Choose the groups of each domain that are held out.

    Args:
        table: documents; url, source and the size of text are read.
        scratch: a folder for runs.
    """
    choice = Choice()
    runs = list(_runs(table, params, scratch, choice))
    for name, rows in groupby(stream.merged(runs, _KEYS, scratch), key=lambda row: row["domain"]):
        choice.groups.update(
            holdout.first(
                _groups(rows),
                choice.documents[name],
                params.heldout_share,
                params.heldout_min,
                part(name, choice.sizes),
            )
        )
    return choice


def part(name: str, sizes: Counter[str]) -> int:
    """A domain's part of `MOST`: half of all parts are equal, half go by size."""
    total, domains = sizes.total(), len(sizes)
    return MOST * (sizes[name] * domains + total) // (2 * total * domains)


def _runs(table: Path, params: Decontaminate, scratch: Path, choice: Choice) -> Iterator[Path]:
    counted: dict[tuple[str, str], list[int]] = {}
    made = 0
    for row, characters in passes.heads(table, ["url", "source"], "text"):
        name, size = domain(row, params), characters + PER_DOCUMENT
        choice.documents[name] += 1
        choice.sizes[name] += size
        found = counted.setdefault((name, group(row, name)), [0, 0])
        found[0] += 1
        found[1] += size
        if len(counted) >= GROUPS:
            yield _run(counted, params, scratch / f"groups-{made:05d}.parquet")
            counted.clear()
            made += 1
    yield _run(counted, params, scratch / f"groups-{made:05d}.parquet")


def _run(counted: dict[tuple[str, str], list[int]], params: Decontaminate, path: Path) -> Path:
    ranked = sorted(
        (name, holdout.rank(page, params.seed).hex(), page, *found)
        for (name, page), found in counted.items()
    )
    stream.write(path, _SCHEMA, (dict(zip(_SCHEMA, values, strict=True)) for values in ranked))
    return path


def _groups(rows: Iterator[Row]) -> Iterator[tuple[str, int, int]]:
    """Name, documents and size of each group, from sorted rows that may name it once for each run."""
    for (_, name), found in groupby(rows, key=lambda row: (row["rank"], row["group"])):
        parts = list(found)
        yield name, sum(row["documents"] for row in parts), sum(row["size"] for row in parts)
