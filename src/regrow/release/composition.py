"""What the training text is made of: documents, bytes and repeats by source, licence and topic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from regrow.data.crawl import manifest
from regrow.data.tables import parquet

UNKNOWN = "unknown"
"""source or licence of a document whose address the manifest does not name"""


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
    """One row per document: source, licence, language, topic, bytes, repeats, heldout.

    Missing columns and values become `unknown`; documents that the mix does not name have 0 repeats.
    """
    frames = []
    for name, heldout in (("train", False), ("heldout", True)):
        frame = parquet.read(decontaminate / f"{name}.parquet")
        for column in ("source", "licence", "language"):
            if column not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
        frames.append(
            frame.select(
                "id",
                pl.col("source").fill_null(UNKNOWN),
                pl.col("licence").fill_null(UNKNOWN),
                "language",
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
    rows = table.select(pl.col(column).alias("name"), "licence", "bytes", "repeats", "heldout")
    for name, licence, size, repeats, heldout in rows.iter_rows():
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


@dataclass(frozen=True)
class Source:
    """One row of the table of sources."""

    name: str
    licence: str
    title: str = ""
    origin: str = ""
    """kind and name of the package that it was taken from"""
    version: str = ""
    sha256: str = ""
    """of that package"""
    places: tuple[str, ...] = ()
    """hosts and paths below which its pages are"""
    archives: tuple[str, ...] = ()
    """WARC files of other crawlers that hold pages of its hosts"""
    kind: str = ""
    """of a source that the recipe names: that of its files; its `origin` is then a statement in words"""
    files: tuple[str, ...] = ()
    """of a source that the recipe names: paths and patterns below the repository"""


def sources(path: Path) -> list[Source]:
    """The sources of `sources/manifest.yaml`, in its order, one per name and licence.

    Raises:
        regrow.data.crawl.manifest.ManifestError: the file cannot be used.
    """
    found: dict[tuple[str, str], Source] = {}
    for host, entry in manifest.load(path).hosts.items():
        for part in entry.parts:
            key = (part.source, part.licence)
            known = found.get(key) or Source(part.source, part.licence, part.title)
            if part.origin and not known.origin:
                known = replace(
                    known,
                    origin=f"{part.origin.kind} {part.origin.package}",
                    version=part.origin.version,
                    sha256=part.origin.sha256,
                )
            found[key] = replace(
                known,
                places=(*known.places, f"{host}{part.prefix}"),
                archives=tuple(dict.fromkeys((*known.archives, *entry.foreign))),
            )
    return list(found.values())
