"""The documents of a fork, which no crawl met: their rows, and the one step that took or left them."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.lineage.fork.own import FILE
from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.stop import Outcome, Stop

STEP = "forkmix"
_OUTCOMES: dict[str, Outcome] = {"held out": "held out", "dropped": "dropped"}
"""of own.parquet -> of a stop; the others are kept"""


def jobs(shelf: Shelf) -> list[str]:
    """The jobs that read a fork's documents: one, or none."""
    return [record.name for record in shelf.ledger.of_step(STEP)]


def rows(shelf: Shelf) -> dict[str, dict[str, Any]]:
    """Document -> id, url, source, licence, outcome, passages, instances, tokens, and its text where it lies here."""
    found: dict[str, dict[str, Any]] = {}
    for job in jobs(shelf):
        table = shelf.table(job, FILE)
        if table is None:
            continue
        texts = _texts(shelf, job)
        for row in table.collect().to_dicts():
            found[row["id"]] = row | {"text": texts.get(row["id"], "")}
    return found


def stop(shelf: Shelf, row: dict[str, Any]) -> Stop:
    """What the step did with the document; of a dropped one the reason that it wrote down."""
    outcome = _OUTCOMES.get(row["outcome"], "kept")
    if outcome == "dropped":
        for job in jobs(shelf):
            columns = ["reason", "value", "threshold", "detail"]
            for gone in shelf.rows(job, "drops.parquet", pl.col("id") == row["id"], columns):
                return Stop(STEP, outcome, {k: v for k, v in gone.items() if v not in (None, "")})
        return Stop(STEP, outcome, {"reason": "every passage of it was dropped"})
    facts = {name: row[name] for name in ("passages", "instances") if row[name]}
    return Stop(STEP, outcome, {"origin": "brought by the fork", **facts})


def _texts(shelf: Shelf, job: str) -> dict[str, str]:
    record = shelf.ledger.by_name[job]
    path = shelf.root / str(record.inputs["documents"]["path"])
    if not path.is_file():
        return {}
    return dict(pl.read_parquet(path, columns=["id", "text"]).iter_rows())
