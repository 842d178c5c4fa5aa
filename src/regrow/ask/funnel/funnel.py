"""The funnel as one answer: totals by step, sources by step, and every place where in is not kept plus dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from regrow.ask.funnel import rows
from regrow.ask.funnel.origin import Origins
from regrow.ask.funnel.steps import APART, Passed, passed
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs

Counted = dict[str, Any]
"""of a step, or of a source at a step: in, kept, dropped, bytes_in, bytes_kept, tokens, reasons"""


@dataclass
class Funnel:
    """What the steps did with the documents."""

    steps: list[Passed]
    rows: dict[str, pl.DataFrame]
    """step -> its rows (`rows.ROWS`); a step whose tables are not on disk has none"""
    outputs: Outputs = field(repr=False)

    @property
    def sources(self) -> list[str]:
        """All sources, by name."""
        found = {
            name for frame in self.rows.values() for name in frame["source"].unique().to_list()
        }
        return sorted(found)

    def mixed(self) -> pl.DataFrame | None:
        """The documents of the mix with their repeats, None where its table is not on disk."""
        frame = self.rows.get("mix")
        return None if frame is None else frame.filter(pl.col("reason").is_null())


def read(ledger: Ledger) -> Funnel:
    """Read the funnel of a run from its records and the tables that are on disk.

    Raises:
        Unanswerable: a table holds other bytes than its record says, or the manifest cannot be read.
    """
    outputs = Outputs(ledger)
    origins = Origins(ledger.root)
    about, found = rows.nothing(), {}
    steps = passed(ledger)
    for step in steps:
        frame = rows.of_step(outputs, step, about, origins)
        if frame is None:
            continue
        found[step.name] = frame
        if step.name not in APART:
            kept = frame.filter(pl.col("reason").is_null())
            about = kept.select(list(rows.ABOUT))
    return Funnel(steps, found, outputs)


def counted(frame: pl.DataFrame) -> Counted:
    """The sums of rows of one step: documents, bytes (None where unknown), tokens, reasons (the largest first)."""
    lost = frame.filter(pl.col("reason").is_not_null())
    by = lost.group_by("reason").agg(
        documents=pl.len(), bytes=pl.col("bytes_in").sum(), known=pl.col("bytes_in").count()
    )
    kept = frame.filter(pl.col("reason").is_null())
    return {
        "in": frame.height,
        "kept": kept.height,
        "dropped": lost.height,
        "bytes_in": _sum(frame["bytes_in"]),
        "bytes_kept": _sum(kept["bytes"]),
        "bytes_dropped": _sum(lost["bytes_in"]),
        "tokens": _sum(kept["tokens"]) if kept.height else None,
        "reasons": [
            {"reason": name, "documents": number, "bytes": size if known else None}
            for name, number, size, known in by.sort(
                ["documents", "reason"], descending=[True, False]
            ).iter_rows()
        ],
    }


def _sum(column: pl.Series) -> int | None:
    """The sum of what is known; None where nothing is, 0 of no rows."""
    return int(column.sum()) if column.count() or column.is_empty() else None


def by_source(frame: pl.DataFrame) -> dict[str, Counted]:
    """Source -> its sums at a step, by name."""
    parts = frame.partition_by("source", as_dict=True)
    return {str(key[0]): counted(part) for key, part in sorted(parts.items())}


def of_record(step: Passed) -> Counted | None:
    """The sums of a step as its records say them: without bytes and sources; None where they do not."""
    if step.name == "crawl":
        return _of_crawl(step)
    met, kept = step.count("in", "unreadable_files"), step.count("kept")
    if step.name == "pack":
        met = kept = step.count("documents")
    if met is None or kept is None:
        return None
    reasons = sorted(step.dropped().items(), key=lambda item: (-item[1], item[0]))
    return {
        "in": met,
        "kept": kept,
        "dropped": sum(number for _, number in reasons),
        "bytes_in": None,
        "bytes_kept": None,
        "bytes_dropped": None,
        "tokens": step.count("tokens") if step.name == "pack" else None,
        "reasons": [{"reason": name, "documents": n, "bytes": None} for name, n in reasons],
    }


def _of_crawl(step: Passed) -> Counted | None:
    met, kept = step.count("fetches"), step.count("pages")
    outcomes: dict[str, int] = {}
    for record in step.records:
        for name, number in (record.counts.get("outcomes") or {}).items():
            outcomes[name] = outcomes.get(name, 0) + int(number)
    if met is None or kept is None:
        return None
    lost = sorted(
        ((n, name) for name, n in outcomes.items() if name != "fetched"),
        key=lambda one: (-one[0], one[1]),
    )
    return {
        "in": met, "kept": kept, "dropped": sum(n for n, _ in lost), "bytes_in": None,
        "bytes_kept": None, "bytes_dropped": None, "tokens": None,
        "reasons": [{"reason": name, "documents": n, "bytes": None} for n, name in lost],
    }  # fmt: skip
