"""The text step: WARC files to a table of documents, and a table of what was dropped."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from regrow.data.crawl import manifest as manifests
from regrow.data.tables import parquet
from regrow.data.tables.drops import drop_row
from regrow.data.text.archive import Trouble, read
from regrow.data.text.client import Client, converted
from regrow.data.text.document import Document, Dropped
from regrow.data.text.record import Record
from regrow.params.sources import Text

SCHEMA = {
    "id": pl.String, "url": pl.String, "host": pl.String, "source": pl.String, "licence": pl.String,
    "mime": pl.String, "charset": pl.String, "title": pl.String, "text": pl.String,
}  # fmt: skip
_ARCHIVES = (".warc.gz", ".warc", ".arc.gz", ".arc")
_OURS = frozenset({"fetches.parquet"})
"""what the crawl writes beside the archives"""


def extract(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with `documents.parquet` and `drops.parquet`.

    `inputs["crawl"]` is a folder of archives (*.warc.gz, *.warc, *.arc.gz, *.arc, of any origin),
    `inputs["sources"]` the manifest. Every record is a document or a row, and so is every other file.

    Raises:
        regrow.data.crawl.manifest.ManifestError: the manifest cannot be used.
        regrow.data.text.client.WorkerError: pages cannot be read on this machine.
    """
    settings: Text = params.text
    pages = _Pages(manifests.load(inputs["sources"]))
    files = sorted(path for path in inputs["crawl"].iterdir() if path.is_file())
    with Client(settings) as client:
        for result in converted(_records(files, settings, pages), client):
            pages.add(result)
    pages.check()
    parquet.write(pages.table(), output / "documents.parquet")
    parquet.write(parquet.drops(pages.drops), output / "drops.parquet")
    return {"files": sum(map(_is_archive, files)), **pages.counts()}


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(_ARCHIVES)


def _records(files: list[Path], settings: Text, pages: _Pages) -> Iterator[Record]:
    """The records of all archives; what is none is noted as a row of its own."""
    shown = time.monotonic()
    for path in files:
        if not _is_archive(path):
            if path.name not in _OURS:
                pages.stray(path)
            continue
        for item in read(path, settings.max_html_bytes):
            if isinstance(item, Trouble):
                pages.trouble(item)
                continue
            pages.count(item)
            yield item
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                said = f"text: {path.name}, {len(pages.documents)} documents"
                print(said, file=sys.stderr, flush=True)


@dataclass
class _Pages:
    """Documents and rows so far."""

    manifest: manifests.Manifest
    documents: dict[str, dict[str, str]] = field(default_factory=dict)
    drops: list[dict[str, object]] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def count(self, record: Record) -> None:
        """Note that a record went in."""
        self.tally["records"] += 1
        self.tally["repeated_ids"] += record.repeated

    def add(self, result: Document | Dropped) -> None:
        """Note what became of a record."""
        if isinstance(result, Dropped):
            self.tally["dropped"] += 1
            self.drops.append(
                drop_row(
                    "text",
                    result.id,
                    result.url,
                    result.reason,
                    result.value,
                    result.threshold,
                    result.detail or None,
                )
            )
        elif result.id in self.documents:
            self.tally["dropped"] += 1
            self.drops.append(drop_row("text", result.id, result.url, "recorded_twice"))
        else:
            self.tally["repaired"] += result.repaired > 0
            self.documents[result.id] = self._document(result)

    def _document(self, result: Document) -> dict[str, str]:
        part = self.manifest.part(result.url)
        return {
            "id": result.id,
            "url": result.url,
            "host": urlsplit(result.url).netloc,
            "source": part.source if part else "unknown",
            "licence": part.licence if part else "unknown",
            "mime": result.mime,
            "charset": result.charset,
            "title": result.title,
            "text": result.text,
        }

    def trouble(self, item: Trouble) -> None:
        """Note a place where a reader stopped; a row if no other got past it. Its id is that place's digest."""
        self.tally["unreadable_files" if item.fatal else "second_reader"] += 1
        if item.fatal:
            place = f"{item.file}, {item.reader}, after {item.after} records: {item.message}"
            self.drops.append(
                drop_row("text", _digest(place), None, "unreadable_record", detail=place)
            )

    def stray(self, path: Path) -> None:
        """Note a file that no reader reads."""
        name = path.name.encode("utf-8", "replace").decode()
        detail = f"{name}: archives end in {', '.join(_ARCHIVES)}"
        self.drops.append(drop_row("text", _digest(name), None, "unknown_archive", detail=detail))

    def check(self) -> None:
        """Every record is a document or a row."""
        records, kept, dropped = self.tally["records"], len(self.documents), self.tally["dropped"]
        if records != kept + dropped:
            raise AssertionError(f"{records} records, but {kept} documents and {dropped} dropped")

    def table(self) -> pl.DataFrame:
        """The documents, by id."""
        return pl.DataFrame(list(self.documents.values()), schema=SCHEMA).sort("id")

    def counts(self) -> dict[str, Any]:
        """What the step's record says."""
        rows = self.documents.values()
        return {
            "in": self.tally["records"],
            "kept": len(self.documents),
            "bytes": sum(len(row["text"].encode()) for row in rows),
            "dropped": dict(sorted(Counter(str(row["reason"]) for row in self.drops).items())),
            "repaired": self.tally["repaired"],
            "repeated_ids": self.tally["repeated_ids"],
            "second_reader": self.tally["second_reader"],
            "unreadable_files": self.tally["unreadable_files"],
            "charsets": dict(sorted(Counter(row["charset"] for row in rows).items())),
        }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
