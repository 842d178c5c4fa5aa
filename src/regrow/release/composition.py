"""What the training text is made of: documents, bytes and repeats by source, licence and topic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from regrow.tables import parquet


@dataclass
class Share:
    """One row of a composition table. Bytes are of UTF-8 text after filtering."""

    name: str
    documents: int = 0
    """documents that training may draw on"""
    size: int = 0
    used: int = 0
    """documents with at least one repeat in the mix"""
    drawn: int = 0
    """bytes in the mix, repeats counted"""
    heldout: int = 0
    """documents kept for evaluation"""
    licences: tuple[str, ...] = ()

    @property
    def repeats(self) -> float:
        """Mean repeats of the bytes that training may draw on."""
        return self.drawn / self.size if self.size else 0.0


def documents(decontaminate: Path, mix: Path) -> pl.DataFrame:
    """One row per document: source, licence, topic, bytes, repeats, heldout.

    Missing columns and values become `unknown`; documents that the mix does not name have 0 repeats.
    """
    frames = []
    for name, heldout in (("train", False), ("heldout", True)):
        frame = parquet.read(decontaminate / f"{name}.parquet")
        for column in ("source", "licence"):
            if column not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
        frames.append(
            frame.select(
                "id",
                pl.col("source").fill_null("unknown"),
                pl.col("licence").fill_null("unknown"),
                pl.col("text").fill_null("").str.len_bytes().cast(pl.Int64).alias("bytes"),
                pl.lit(heldout).alias("heldout"),
            )
        )
    table = parquet.read(mix / "mix.parquet", columns=["id", "topic", "repeats"])
    return (
        pl.concat(frames)
        .join(table.unique("id", keep="first", maintain_order=True), on="id", how="left")
        .with_columns(
            pl.col("topic").fill_null("unknown"), pl.col("repeats").cast(pl.Int64).fill_null(0)
        )
    )


def shares(table: pl.DataFrame, column: str) -> list[Share]:
    """Rows by the values of `column`, sorted by name. Integer sums only."""
    found: dict[str, Share] = {}
    licences: dict[str, set[str]] = {}
    columns = [column, "licence", "bytes", "repeats", "heldout"]
    for name, licence, size, repeats, heldout in table.select(columns).iter_rows():
        row = found.setdefault(name, Share(name))
        licences.setdefault(name, set()).add(licence)
        if heldout:
            row.heldout += 1
            continue
        row.documents += 1
        row.size += size
        row.used += repeats > 0
        row.drawn += size * repeats
    for name, row in found.items():
        row.licences = tuple(sorted(licences[name]))
    return [found[name] for name in sorted(found)]


def manifest(path: Path) -> list[dict[str, str]]:
    """The sources of `sources/manifest.yaml`, each with name, licence, origin, version, sha256.

    A list of mappings under `sources`, or a mapping of names to mappings. Other fields are kept
    as text where they are plain values.

    Raises:
        ValueError: the file is not YAML, or holds no sources.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not YAML: {error}") from None
    entries = raw.get("sources", raw) if isinstance(raw, dict) else raw
    if isinstance(entries, dict):
        entries = [
            {"name": name, **value} for name, value in entries.items() if isinstance(value, dict)
        ]
    if not isinstance(entries, list):
        raise ValueError(f"{path.name}: wants a list of sources under `sources`")
    return [_plain(entry) for entry in entries if isinstance(entry, dict)]


_OTHER_NAMES = {
    "name": ("name", "source", "id"),
    "licence": ("licence", "license"),
    "origin": ("origin", "homepage", "url", "package"),
    "version": ("version",),
    "sha256": ("sha256", "hash"),
}


def _plain(entry: dict[Any, Any]) -> dict[str, str]:
    values = {
        str(k): str(v) for k, v in entry.items() if isinstance(v, str | int | float) and v != ""
    }
    known = {
        field: next((values[name] for name in names if name in values), "")
        for field, names in _OTHER_NAMES.items()
    }
    return values | known
