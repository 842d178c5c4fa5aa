"""Dropped documents to read: a few per step and reason, the same for everyone."""

from __future__ import annotations

import hashlib
import heapq
from typing import Any

import polars as pl

from regrow.ask.funnel.funnel import Funnel
from regrow.ask.funnel.steps import DROPS, HELD_OUT, Passed

TEXT = 600
"""characters of a text that are shown"""
_SHOWN = ("id", "url", "reason", "value", "threshold", "detail")


def samples(funnel: Funnel, number: int, source: str | None = None) -> list[dict[str, Any]]:
    """`number` dropped documents per step and reason: those whose id has the smallest SHA-256.

    A row has step, reason, documents (how many were dropped so), and `dropped`: id, url, value, threshold, detail, text
    (as the step before left it, cut; None where no step kept it). Held-out documents are not shown: they are for
    evaluation.
    """
    found = []
    before: Passed | None = None
    for step in funnel.steps:
        frame = funnel.rows.get(step.name)
        if step.has_drops and frame is not None:
            found += _of_step(funnel, step, before, frame, number, source)
        if step.name not in ("crawl", "classify"):  # neither hands on texts
            before = step
    return found


def _of_step(
    funnel: Funnel, step: Passed, before: Passed | None, frame: pl.DataFrame, number: int, source: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    lost = frame.filter(pl.col("reason").is_not_null() & (pl.col("reason") != HELD_OUT))
    if source is not None:
        lost = lost.filter(pl.col("source") == source)
    chosen: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for (reason,), part in sorted(lost.partition_by("reason", as_dict=True).items()):
        ids = part["id"].drop_nulls().unique().to_list()
        chosen[str(reason)] = heapq.nsmallest(number, ids, key=_mark)
        counts[str(reason)] = part.height
    wanted = sorted({id for ids in chosen.values() for id in ids})
    about = _about(funnel, step, wanted)
    texts = _texts(funnel, before, wanted)
    sources = dict(lost.select("id", "source").iter_rows())
    return [
        {
            "step": step.name,
            "reason": reason,
            "documents": counts[reason],
            "dropped": [
                {
                    **about.get((id, reason), {"id": id}),
                    "source": sources.get(id),
                    "text": texts.get(id),
                }
                for id in chosen[reason]
            ],
        }
        for reason in sorted(chosen, key=lambda name: (-counts[name], name))
    ]


def _mark(id: str) -> str:
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def _about(funnel: Funnel, step: Passed, ids: list[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """(id, reason) -> the row of the drop."""
    found = {}
    for record in step.records:
        where = pl.col("id").is_in(ids)
        for file in step.tables(record, DROPS):
            for row in funnel.outputs.rows(record.name, file, where, list(_SHOWN)):
                found[str(row["id"]), str(row.pop("reason"))] = row
    return found


def _texts(funnel: Funnel, before: Passed | None, ids: list[str]) -> dict[str, str]:
    """id -> its text after the step before, cut."""
    found: dict[str, str] = {}
    where = pl.col("id").is_in(ids)
    places = (
        [(r.name, file) for r in before.records for file in before.tables(r, before.file)]
        if before
        else []
    )
    for name, file in places:
        for row in funnel.outputs.rows(name, file, where, ["id", "text"]):
            text = str(row.get("text") or "")
            found[str(row["id"])] = text if len(text) <= TEXT else text[: TEXT - 1] + "…"
    return found
