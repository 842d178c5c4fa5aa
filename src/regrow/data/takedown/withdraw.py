"""The withdraw step: extracted documents without those that were taken down; all that follows reads these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.takedown import documents

REASON = "takedown"


def run(inputs: dict[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Fill `output` with documents.parquet (the columns of text) and drops.parquet.

    Args:
        inputs: `text`, `documents` (the list of the takedown).
        params: carries `takedown`.
        output: the folder to fill.
        instance: the name of the takedown.

    Raises:
        ValueError: a document of the list is not among the extracted ones.
    """
    ids = documents.read(inputs["documents"])
    frame = tables.read(inputs["text"] / "documents.parquet")
    gone = pl.col("id").is_in(ids)
    found = frame.filter(gone)
    missing = sorted(set(ids) - set(found["id"]))
    if missing:
        raise ValueError(
            f"takedowns/{instance}/documents.json: {missing[0]} is no document of data/text: "
            "`regrow trace` says what there is"
        )
    rows: list[dict[str, object]] = [
        {"id": id, "url": url, "step": "withdraw", "reason": REASON, "detail": instance}
        for id, url in found.select("id", "url").iter_rows()
    ]
    tables.write(frame.filter(~gone), output / "documents.parquet")
    tables.write(tables.drops(rows), output / "drops.parquet")
    return {"in": frame.height, "kept": frame.height - found.height, "dropped": {REASON: len(rows)}}
