"""The dedup step: exact duplicates first, then near-duplicates among what is left."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from regrow.dedup import exact, near
from regrow.dedup.clusters import preference
from regrow.tables import parquet as tables


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Deduplicate `filter/documents.parquet` into documents.parquet and drops.parquet.

    Of a cluster the document stays that `clusters.preference` puts first. A drop's detail is
    the id of the document that stayed, its value their Jaccard similarity; `near_chain` marks
    the drops that are similar to it only through others of the cluster.

    Returns the counts of documents in, kept and dropped by reason.

    Raises:
        ValueError: the table lacks a column.
    """
    path = inputs["filter"] / "documents.parquet"
    frame = tables.read(path)
    missing = {"id", "url", "source", "text"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path.name}: no column {sorted(missing)}; rerun the filter step")
    frame = frame.sort(["id", "url"])
    drops: list[dict[str, object]] = []
    stays = [True] * len(frame)  # by row: a table may hold an id twice

    for group in exact.groups(frame["text"].to_list()):
        kept, *others = _ranked(frame, group)
        for row in others:
            drops.append(_row(frame, row, kept, "exact", 1.0, 1.0))
            stays[row] = False
    print(f"dedup: {len(drops)} exact copies of {len(frame)}", file=sys.stderr, flush=True)

    rows = [row for row, stay in enumerate(stays) if stay]
    similarity = near.Similarity(frame["text"][rows].to_list(), params.dedup.ngram)
    limit = params.dedup.jaccard
    place = {row: at for at, row in enumerate(rows)}
    for cluster in near.clusters(similarity, params.dedup):
        kept, *others = _ranked(frame, [rows[at] for at in cluster])
        for row in others:
            value = similarity.of(place[kept], place[row])
            reason = "near" if value >= limit else "near_chain"
            drops.append(_row(frame, row, kept, reason, value, limit))
            stays[row] = False
    documents = frame.filter(pl.Series(stays, dtype=pl.Boolean))
    print(f"dedup: {len(documents)} of {len(frame)} stay", file=sys.stderr, flush=True)

    tables.write(documents, output / "documents.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    reasons = Counter(str(row["reason"]) for row in drops)
    return {"in": len(frame), "kept": len(documents), "dropped": dict(sorted(reasons.items()))}


def _ranked(frame: pl.DataFrame, rows: list[int]) -> list[int]:
    def key(row: int) -> tuple[object, ...]:
        url, source, id_ = (frame[name][row] for name in ("url", "source", "id"))
        return preference(url or "", source or "", id_)

    return sorted(rows, key=key)


def _row(
    frame: pl.DataFrame, row: int, kept: int, reason: str, value: float, threshold: float
) -> dict[str, object]:
    return {
        "id": frame["id"][row],
        "url": frame["url"][row],
        "step": "dedup",
        "reason": reason,
        "value": value,
        "threshold": threshold,
        "detail": frame["id"][kept],
    }
