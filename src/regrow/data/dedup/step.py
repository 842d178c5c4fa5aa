"""The dedup step: exact duplicates first, then near-duplicates among what is left."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.dedup import exact, near
from regrow.data.dedup.clusters import preference
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved


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
    texts = [text or "" for text in frame["text"]]

    # For each row that goes: the row that stays, and how alike they are. By row, for a table
    # may hold an id twice.
    copies: dict[int, int] = {}
    for group in exact.groups(texts):
        kept, *others = _ranked(frame, group)
        copies |= dict.fromkeys(others, kept)
    print(f"dedup: {len(copies)} exact copies of {len(frame)}", file=sys.stderr, flush=True)

    rows = [row for row in range(len(frame)) if row not in copies]
    similarity = near.Similarity([texts[row] for row in rows], params.dedup.ngram)
    place = {row: at for at, row in enumerate(rows)}
    near_copies: dict[int, tuple[int, float]] = {}
    for cluster in near.clusters(similarity, params.dedup):
        kept, *others = _ranked(frame, [rows[at] for at in cluster])
        for row in others:
            near_copies[row] = kept, similarity.of(place[kept], place[row])

    drops = [_row(frame, row, *near_copies[row], params.dedup.jaccard) for row in near_copies]
    for row, kept in copies.items():
        if kept in near_copies:  # a copy of what goes is as alike to what stays
            drops.append(_row(frame, row, *near_copies[kept], params.dedup.jaccard))
        else:
            drops.append(_row(frame, row, kept, 1.0, None))
    stays = [row not in copies and row not in near_copies for row in range(len(frame))]
    documents = frame.filter(pl.Series(stays, dtype=pl.Boolean))
    print(f"dedup: {len(documents)} of {len(frame)} stay", file=sys.stderr, flush=True)

    tables.write(documents, output / "documents.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    dropped = [str(row["id"]) for row in drops]
    conserved("dedup", "documents", frame["id"], documents["id"], dropped)
    reasons = Counter(str(row["reason"]) for row in drops)
    return {"in": len(frame), "kept": len(documents), "dropped": dict(sorted(reasons.items()))}


def _ranked(frame: pl.DataFrame, rows: list[int]) -> list[int]:
    def key(row: int) -> tuple[object, ...]:
        url, source, id_ = (frame[name][row] for name in ("url", "source", "id"))
        return preference(url or "", source or "", id_)

    return sorted(rows, key=key)


def _row(
    frame: pl.DataFrame, row: int, kept: int, value: float, threshold: float | None
) -> dict[str, object]:
    """A drop; without a threshold it is an exact copy."""
    reason = "exact" if threshold is None else "near" if value >= threshold else "near_chain"
    return {
        "id": frame["id"][row],
        "url": frame["url"][row],
        "step": "dedup",
        "reason": reason,
        "value": value,
        "threshold": threshold,
        "detail": frame["id"][kept],
    }
