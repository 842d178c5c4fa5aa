"""Which rows two tables of documents (tasks, examples, pairs) differ in, by id.

Tables are read where the bytes of the record are: in the workspace or in DVC's cache, each verified by
SHA-256 before it is believed. So two branches that were built in one clone can be compared without
switching between them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from regrow.engine.hashing import sha256_file
from regrow.engine.store import Store
from regrow.evidence.outputs import PUBLISHED
from regrow.evidence.record import Record

OWN = "contributions.parquet"
"""of the steps that read what a fork brings: one row per document or conversation"""
TABLES = (
    OWN,
    "documents.parquet",
    "train.parquet",
    "mix.parquet",
    "scores.parquet",
    "think.parquet",
    "pairs.parquet",
    "prompts.parquet",
)
"""the table that says what a step made, by preference"""
SHOWN = 5
"""ids of each kind that the answer names"""


class NotHere(Exception):
    """The bytes of a table are on neither disk nor in the cache; the message names them."""


def table_of(a: Record, b: Record) -> str | None:
    """The table by which two outputs are compared, None where they have none in common."""
    have = {f["path"] for f in a.files} & {f["path"] for f in b.files}
    return next((name for name in TABLES if name in have), None)


def locate(root: Path, record: Record, file: str) -> Path:
    """A file of a record's output, its bytes verified.

    Raises:
        NotHere: neither the workspace nor the cache has those bytes.
    """
    entry = next(f for f in record.files if f["path"] == file)
    for path in (
        root / record.path / file,
        Store(root).object_path(entry["md5"]),
        root / PUBLISHED / record.name / file,
    ):
        fits = path.is_file() and path.stat().st_size == entry["size"]
        if fits and sha256_file(path) == entry["sha256"]:
            return path
    raise NotHere(f"{record.path}/{file} ({entry['sha256'][:12]})")


def compare(root: Path, a: Record, b: Record) -> dict[str, Any] | None:
    """Rows added, removed and changed between the outputs of two records.

    A row whose id is on both sides with other content is changed, and so is a document whose address
    (url) is on both sides under another id: its page changed.

    Returns:
        table, counts and some ids of each kind; None where they have no table of rows with ids.

    Raises:
        NotHere: the bytes are not at hand.
    """
    name = table_of(a, b)
    if name is None:
        return None
    left, right = (pl.scan_parquet(locate(root, record, name), glob=False) for record in (a, b))
    columns = [set(frame.collect_schema().names()) for frame in (left, right)]
    if not all("id" in names for names in columns):
        return None
    shared = sorted(columns[0] & columns[1])
    added = right.join(left, on="id", how="anti")
    removed = left.join(right, on="id", how="anti")
    changed = _changed(left.select(shared), right.select(shared))
    rows = {"added": _few(added), "removed": _few(removed), "changed": _few(changed)}
    if "url" in shared:
        again = added.join(removed.select("url").drop_nulls(), on="url", how="semi").collect()
        if again.height:
            urls = pl.LazyFrame({"url": again["url"]})
            rows = {
                "added": _few(added.join(urls, on="url", how="anti")),
                "removed": _few(removed.join(urls, on="url", how="anti")),
                "changed": _few(pl.concat([changed, again.lazy()], how="diagonal")),
            }
    return {"job": a.name if a.name == b.name else f"{a.name}|{b.name}", "table": name, **rows}


def brought(root: Path, record: Record) -> dict[str, Any] | None:
    """What a fork brought, in the form of `compare`: all of it is added; None if `record` is no step of a fork.

    Raises:
        NotHere: the bytes are not at hand.
    """
    if all(f["path"] != OWN for f in record.files):
        return None
    rows = pl.scan_parquet(locate(root, record, OWN), glob=False)
    none = _few(rows.filter(pl.lit(False)))
    return {"job": record.name, "table": OWN, "added": _few(rows), "removed": none, "changed": none}


def _changed(left: pl.LazyFrame, right: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of `right` whose id is in `left` with other values (nulls equal nulls)."""
    names = [n for n in left.collect_schema().names() if n != "id"]
    if not names:
        return right.filter(pl.lit(False))
    joined = right.join(left, on="id", how="inner", suffix="\0")
    differs = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}\0")) for n in names)
    return joined.filter(differs).select("id", *names)


def _few(frame: pl.LazyFrame) -> dict[str, Any]:
    have = frame.collect_schema().names()
    keep = [c for c in ("id", "url", "source", "licence", "reason") if c in have]
    found = frame.select(keep).unique(maintain_order=False).collect()
    found = found.sort(keep, nulls_last=True)
    result: dict[str, Any] = {"count": found.height, "examples": found.head(SHOWN).to_dicts()}
    for column in ("source", "licence"):
        if column in keep:
            by = found.group_by(column).len().sort(["len", column], descending=[True, False])
            result[f"{column}s"] = dict(by.iter_rows())
    return result
