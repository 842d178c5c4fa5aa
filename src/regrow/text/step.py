"""The text step: WARC files to a table of documents, and a table of what was dropped."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from regrow.crawl import manifest as manifests
from regrow.params.sources import Text
from regrow.tables import parquet
from regrow.text.archive import Trouble, read
from regrow.text.document import Document, convert

SCHEMA = {
    "id": pl.String, "url": pl.String, "host": pl.String, "source": pl.String, "licence": pl.String,
    "mime": pl.String, "charset": pl.String, "title": pl.String, "text": pl.String,
}  # fmt: skip


def extract(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with `documents.parquet` and `drops.parquet`.

    `inputs["crawl"]` is a folder of *.warc.gz (any origin), `inputs["sources"]` the manifest.
    """
    settings: Text = params.text
    manifest = manifests.load(inputs["sources"])
    files = sorted([*inputs["crawl"].glob("*.warc.gz"), *inputs["crawl"].glob("*.warc")])
    documents: dict[str, dict[str, str]] = {}
    drops: list[dict[str, object]] = []
    tally: Counter[str] = Counter()
    shown = time.monotonic()
    for path in files:
        for item in read(path, settings.max_html_bytes):
            if isinstance(item, Trouble):
                tally["unreadable_files" if item.fatal else "second_reader"] += 1
                if item.fatal:
                    drops.append(_trouble(item))
                continue
            tally["records"] += 1
            result = convert(item, settings)
            if not isinstance(result, Document):
                drops.append(
                    _row(
                        result.id,
                        result.url,
                        result.reason,
                        result.value,
                        result.threshold,
                        result.detail,
                    )
                )
            elif result.id in documents:
                drops.append(
                    _row(
                        result.id, result.url, "recorded_twice", None, None, f"again in {path.name}"
                    )
                )
            else:
                part = manifest.part(result.url)
                tally["repaired"] += result.repaired > 0
                documents[result.id] = {
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
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                print(f"text: {path.name}, {len(documents)} documents", file=sys.stderr, flush=True)
    frame = pl.DataFrame(list(documents.values()), schema=SCHEMA).sort("id")
    parquet.write(frame, output / "documents.parquet")
    table = parquet.drops(drops)
    parquet.write(table, output / "drops.parquet")
    reasons = Counter(str(row["reason"]) for row in drops)
    return {
        "files": len(files),
        "in": tally["records"],
        "kept": len(documents),
        "bytes": sum(len(row["text"].encode()) for row in documents.values()),
        "dropped": dict(sorted(reasons.items())),
        "repaired": tally["repaired"],
        "second_reader": tally["second_reader"],
        "unreadable_files": tally["unreadable_files"],
        "charsets": dict(sorted(Counter(row["charset"] for row in documents.values()).items())),
    }


def _trouble(item: Trouble) -> dict[str, object]:
    """The row of a place that no reader got past; its id is the digest of that place."""
    place = f"{item.file}, {item.reader}, after {item.after} records: {item.message}"
    name = hashlib.sha256(place.encode()).hexdigest()[:32]
    return _row(name, None, "unreadable_record", None, None, place)


def _row(
    name: str,
    url: str | None,
    reason: str,
    value: float | None,
    threshold: float | None,
    detail: str,
) -> dict[str, object]:
    return {
        "id": name, "url": url, "step": "text", "reason": reason, "value": value,
        "threshold": threshold, "detail": detail or None,
    }  # fmt: skip
