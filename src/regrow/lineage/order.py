"""`regrow order`: which documents a training step saw, and what a checkpoint saw in all."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.lineage.exposure import Exposure
from regrow.lineage.ledger import Ledger, Record
from regrow.lineage.shelf import Shelf


def order_of_step(ledger: Ledger, checkpoint: Record, step: int) -> dict[str, Any]:
    """The documents in one training step, in the order of the batch, with url and title.

    Raises:
        Unanswerable: not a checkpoint, the step is not part of it, or the packing is not on disk.
    """
    shelf = Shelf(ledger)
    run = Exposure(shelf, checkpoint)
    pieces = run.of_step(step)
    about = _about(shelf, {piece["id"] for piece in pieces})
    rows = [{**piece, **about.get(piece["id"], {})} for piece in pieces]
    return {
        "checkpoint": checkpoint.name,
        "step": step,
        "sequences": run.batch,
        "sequence_length": run.pack.sequence_length,
        "tokens": sum(row["tokens"] for row in rows),
        "documents": rows,
    }


def totals(ledger: Ledger, checkpoint: Record) -> dict[str, Any]:
    """What a checkpoint has seen in all: documents, tokens, views, and tokens by topic and licence.

    Raises:
        Unanswerable: not a checkpoint, or the packing is not on disk.
    """
    shelf = Shelf(ledger)
    run = Exposure(shelf, checkpoint)
    seen = run.totals()
    answer: dict[str, Any] = {
        "checkpoint": checkpoint.name,
        "steps": run.last_step,
        "sequences": run.last_step * run.batch,
        "tokens": run.last_step * run.batch * run.pack.sequence_length,
        "epochs": round(run.last_step * run.batch / run.pack.sequences, 3),
        "documents": seen.height,
        "most_seen": [],
    }
    most = seen.sort(["views", "id"], descending=[True, False]).head(5).to_dicts()
    about = _about(shelf, {row["id"] for row in most})
    answer["most_seen"] = [{**row, **about.get(row["id"], {})} for row in most]
    for name, file, column in (
        ("mix", "mix.parquet", "topic"),
        ("decontaminate", "train.parquet", "source"),
        ("decontaminate", "train.parquet", "licence"),
    ):
        table = shelf.table(name, file)
        if table is None or column not in table.collect_schema().names():
            continue
        answer[f"by_{column}"] = (
            seen.lazy()
            .join(table.select("id", column), on="id", how="left")
            .group_by(column)
            .agg(documents=pl.len(), tokens=pl.col("tokens").sum())
            .sort(["tokens", column], descending=[True, False])
            .collect()
            .to_dicts()
        )
    return answer


def _about(shelf: Shelf, ids: set[str]) -> dict[str, dict[str, Any]]:
    rows = shelf.rows(
        "text", "documents.parquet", pl.col("id").is_in(sorted(ids)), ["id", "url", "title"]
    )
    return {row.pop("id"): row for row in rows}
