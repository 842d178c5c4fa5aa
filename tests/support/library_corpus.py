"""A small real corpus with labels: Python's own manual topics and the sources of its library."""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

import polars as pl

from regrow.data.tables import parquet as tables

PACKAGES = ("asyncio", "email", "multiprocessing", "xml")
TOPICS = {
    "events": ["library.test/asyncio/"],
    "mail": ["library.test/email/"],
    "processes": ["library.test/multiprocessing/"],
    "markup": ["library.test/xml/"],
    "language": ["library.test/manual/"],
}
POSITIVE = ["library.test/manual/"]
NEGATIVE = ["library.test/encodings/"]


def pages(limit: int = 0) -> list[tuple[str, str]]:
    """(URL, text) of every page with at least 30 words; at most `limit` per folder."""
    from pydoc_data.topics import topics

    root = Path(sysconfig.get_paths()["stdlib"])
    found = {"manual": [(f"manual/{name}", text) for name, text in sorted(topics.items())]}
    for package in (*PACKAGES, "encodings"):
        paths = sorted((root / package).rglob("cp*.py" if package == "encodings" else "*.py"))
        found[package] = [
            (path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in paths
        ]
    return [
        (f"https://library.test/{name}", text)
        for group in found.values()
        for name, text in group[: limit or None]
        if len(text.split()) >= 30
    ]


def frame(rows: list[tuple[str, str]]) -> pl.DataFrame:
    """Documents of (URL, text), with the columns that decontaminate writes."""
    return pl.DataFrame(
        [
            {
                "id": hashlib.sha256(f"{url}\0{text}".encode()).hexdigest()[:32],
                "url": url,
                "host": url.split("/")[2],
                "source": "library",
                "licence": "PSF-2.0",
                "mime": "text/plain",
                "charset": "utf-8",
                "title": url.rsplit("/", 1)[-1],
                "text": text,
                "language": "en",
                "language_score": 0.99,
                "domain": url.split("/")[3],
            }
            for url, text in rows
        ],
        schema={
            name: pl.Float64 if name == "language_score" else pl.String
            for name in (
                *("id", "url", "host", "source", "licence", "mime", "charset", "title", "text"),
                *("language", "language_score", "domain"),
            )
        },
    ).sort("id")


def write(folder: Path, rows: list[tuple[str, str]]) -> Path:
    """Fill `folder` like decontaminate: every ninth page is held out."""
    documents = frame(rows)
    held = pl.int_range(pl.len()) % 9 == 8
    tables.write(documents.filter(~held), folder / "train.parquet")
    tables.write(documents.filter(held), folder / "heldout.parquet")
    return folder
