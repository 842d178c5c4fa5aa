"""The filter step: every document through every filter, the cheap ones first.

The filters commute but for the text that the two cleaners change, so the order is one of
cost, as in OLMo 3 (appendix A.2.1): language identification comes late. Two places differ:
blank lines are cut first, so that the words are found once for all filters, and stop words are
counted after the language is known (`regrow.data.filters.stop_words`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.filters import (
    language,
    length,
    lines,
    newlines,
    repetition,
    stop_words,
    symbols,
    url,
    word_length,
)
from regrow.data.filters.document import Document, Drop
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.params.data import Filter

FILTERS: tuple[Callable[[Document, Filter], Document | Drop | None], ...] = (
    url.judge,
    newlines.clean,
    length.judge,
    word_length.judge,
    symbols.judge,
    repetition.judge,
    lines.clean,
    newlines.clean,
    language.judge,
    stop_words.judge,
)
REPORT_EVERY = 2_000


def judge(document: Document, params: Filter) -> Document | Drop:
    """One document through all filters: the cleaned document, or the first reason to drop it."""
    for filter_ in FILTERS:
        answer = filter_(document, params)
        if isinstance(answer, Drop):
            return answer
        if answer is not None:
            document = answer
    return document


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Filter `text/documents.parquet` into documents.parquet and drops.parquet.

    Returns the counts of documents in, kept and dropped by reason.

    Raises:
        ValueError: the table lacks a column that the filters read.
    """
    path = inputs["text"] / "documents.parquet"
    frame = tables.read(path).sort("id")
    missing = {"id", "url", "text"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path.name}: no column {sorted(missing)}; rerun the text step")

    kept: list[int] = []
    texts: list[str] = []
    codes: list[str | None] = []
    scores: list[float | None] = []
    drops: list[dict[str, object]] = []
    rows = zip(frame["id"], frame["url"], frame["text"], strict=True)
    for row, (id_, url_, text) in enumerate(rows):
        if row and row % REPORT_EVERY == 0:
            print(f"filter: {row} of {len(frame)} documents", file=sys.stderr, flush=True)
        answer = judge(Document(text or "", url_ or ""), params.filter)
        if isinstance(answer, Drop):
            drops.append(
                {
                    "id": id_,
                    "url": url_,
                    "step": "filter",
                    "reason": answer.reason,
                    "value": answer.value,
                    "threshold": answer.threshold,
                    "detail": answer.detail,
                }
            )
        else:
            kept.append(row)
            texts.append(answer.text)
            codes.append(answer.language)
            scores.append(answer.language_score)

    documents = frame[kept].with_columns(
        pl.Series("text", texts, pl.String),
        pl.Series("language", codes, pl.String),
        pl.Series("language_score", scores, pl.Float64),
    )
    tables.write(documents, output / "documents.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    dropped = [str(row["id"]) for row in drops]
    conserved("filter", "documents", frame["id"], documents["id"], dropped)
    reasons = Counter(str(row["reason"]) for row in drops)
    return {"in": len(frame), "kept": len(documents), "dropped": dict(sorted(reasons.items()))}
