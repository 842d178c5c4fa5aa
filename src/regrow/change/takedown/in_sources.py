"""Which files of the recipe's sources hold documents that are taken down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from regrow import selection
from regrow.data.sources import table
from regrow.data.sources.item import Item
from regrow.data.sources.reader import reader
from regrow.data.text.record import Record as Page
from regrow.engine.hashing import digest_file
from regrow.engine.store import Store
from regrow.evidence import corpora
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.params.source import Source


def in_sources(ledger: Ledger, ids: Sequence[str], urls: Collection[str]) -> list[dict[str, Any]]:
    """A row per file of a source that holds one of the documents, as `regrow.change.takedown.stored` gives them.

    The parts of sources that have the documents are read again by the reader of their kind; of pages, which a parser
    must open first, the addresses decide. The file may be in git as well: git and its clones are not looked into.
    """
    store = Store(ledger.root)
    found: dict[Path, dict[str, Any]] = {}
    for record in corpora.records(ledger.records):
        if not _has(ledger.root / record.path / "documents.parquet", ids):
            continue
        for path in _files(ledger.root, record, ids, urls):
            digest = digest_file(path)
            found[path] = {
                "path": path.relative_to(ledger.root).as_posix(),
                "md5": digest.md5,
                "sha256": digest.sha256,
                "size": digest.size,
                "holds": "source",
                "workspace": True,
                "cache": store.has(digest.md5),
            }
    return [found[path] for path in sorted(found)]


def _has(documents: Path, ids: Sequence[str]) -> bool:
    """Whether a part made one of the documents; where its table is not on disk, it may have."""
    if not documents.is_file():
        return True
    rows = pl.scan_parquet(documents, glob=False).filter(pl.col("id").is_in(list(ids)))
    return not rows.select("id").head(1).collect().is_empty()


def _files(root: Path, record: Record, ids: Sequence[str], urls: Collection[str]) -> list[Path]:
    source = Source.model_validate(record.options["source"])
    kind = reader(source.kind)
    found = []
    for entry in record.inputs.values():
        place = root / selection.parse(str(entry["path"])).folder
        if entry.get("kind") != "source" or not place.exists():
            continue
        for name, path in selection.files(root / str(entry["path"])):
            if name.lower().endswith(kind.SUFFIXES) and any(
                _is_one(item, source, ids, urls) for item in kind.read(path, name, source)
            ):
                found.append(path)
    return found


def _is_one(item: object, source: Source, ids: Sequence[str], urls: Collection[str]) -> bool:
    if isinstance(item, Item):
        return table.of_item(item, source)["id"] in ids
    return isinstance(item, Page) and item.url in urls
