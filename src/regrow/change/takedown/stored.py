"""Which stored files still hold the text of documents, or weights that learned from it.

For whoever must delete: paths below the root, and the objects in DVC's cache and remote by MD5.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from regrow.change.takedown import tokens
from regrow.change.takedown.in_sources import in_sources
from regrow.engine.remote import Remote, identity
from regrow.engine.store import Store
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

_ARCHIVES = (".warc.gz", ".warc", ".arc.gz", ".arc")
"""what the text step reads"""


def stored(
    ledger: Ledger, ids: Sequence[str], urls: Sequence[str], anew: Collection[str]
) -> list[dict[str, Any]]:
    """A row per file: path, md5, size, holds (`source`, `page`, `text`, `tokens`, `weights`), workspace, cache, remote.

    Only files that are on disk are looked into (of the crawl: the archives of the documents' hosts);
    weights are those of checkpoints and releases in `anew`.
    """
    store = Store(ledger.root)
    remote = Remote(store)
    hosts = {_host(url) for url in urls}
    rows = []
    for record in ledger.records:
        for entry in record.files:
            holds = _holds(ledger, record, str(entry["path"]), ids, hosts, record.name in anew)
            if holds:
                path = f"{record.path}/{entry['path']}"
                rows.append(
                    {
                        "path": path,
                        "md5": entry["md5"],
                        "sha256": entry["sha256"],
                        "size": entry["size"],
                        "holds": holds,
                        "workspace": (ledger.root / path).is_file(),
                        "cache": store.has(str(entry["md5"])),
                    }
                )
    rows += in_sources(ledger, ids, urls)
    there = remote.has(rows)
    return [row | {"remote": there[identity(row)]} for row in rows]


def _host(url: str) -> str:
    """The host of an address; "" where it is none (`http://[broken/`), and no archive is named so."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _holds(
    ledger: Ledger, record: Record, name: str, ids: Sequence[str], hosts: set[str], anew: bool
) -> str | None:
    path = ledger.root / record.path / name
    if record.step == "crawl" and name.lower().endswith(_ARCHIVES):
        host = name.removesuffix(".warc.gz")
        return "page" if host in hosts or host.startswith("foreign-") else None
    if name.endswith(".safetensors"):
        return "weights" if anew else None
    if not path.is_file():
        return None
    if name.endswith(".parquet"):
        return "text" if _has_text(path, ids) else None
    return "tokens" if tokens.hold(ledger, record, name, ids) else None


def _has_text(path: Path, ids: Sequence[str]) -> bool:
    table = pl.scan_parquet(path, glob=False)
    have = table.collect_schema().names()
    if "text" not in have:
        return False
    named = [pl.col(c).is_in(list(ids)) for c in ("id", "parent") if c in have]
    if not named:
        return False
    found = table.filter(pl.any_horizontal(named) & pl.col("text").is_not_null())
    return not found.select("text").head(1).collect().is_empty()
