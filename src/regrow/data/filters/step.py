"""The filter step: every document through every filter, the cheap ones first.

The filters commute but for the text that the two cleaners change, so the order is one of
cost, as in OLMo 3 (appendix A.2.1): language identification comes late. Two places differ:
blank lines are cut first, so that the words are found once for all filters, and stop words are
counted after the language is known (`regrow.data.filters.stop_words`). Source code has a list of
its own: prose filters say nothing about it (`regrow.data.filters.code`). Personal data is looked for last, in
what is kept.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.filters import (
    c4,
    code,
    fineweb,
    language,
    length,
    lines,
    madlad,
    newlines,
    pdf,
    pii,
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

Rule = Callable[[Document, Filter], Document | Drop | None]
FILTERS: tuple[Rule, ...] = (
    url.judge,
    newlines.clean,
    length.judge,
    word_length.judge,
    pdf.judge,
    symbols.judge,
    fineweb.judge,
    repetition.judge,
    lines.clean,
    c4.clean,
    newlines.clean,
    language.judge,
    stop_words.judge,
    madlad.judge,
    pii.clean,
)
FOR_CODE: tuple[Rule, ...] = (url.judge, code.judge, pii.clean)
"""what source code goes through in place of `FILTERS`"""
REPORT_EVERY = 2_000


def judge(document: Document, params: Filter) -> Document | Drop:
    """One document through all filters: the cleaned document, or the first reason to drop it."""
    for filter_ in FOR_CODE if code.applies(document, params) else FILTERS:
        answer = filter_(document, params)
        if isinstance(answer, Drop):
            return answer
        if answer is not None:
            document = answer
    return document


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Filter `text/documents.parquet` into documents.parquet and drops.parquet.

    Returns the counts of documents in, kept and dropped by reason; where personal data is masked or
    dropped, also how many documents held how much of which kind (of those that passed all other filters).
    The column `pii` is written only where it is masked.

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
    found: list[str | None] = []
    drops: list[dict[str, object]] = []
    mimes = frame["mime"] if "mime" in frame.columns else [None] * len(frame)
    rows = zip(frame["id"], frame["url"], frame["text"], mimes, strict=True)
    for row, (id_, url_, text, mime) in enumerate(rows):
        if row and row % REPORT_EVERY == 0:
            print(f"filter: {row} of {len(frame)} documents", file=sys.stderr, flush=True)
        answer = judge(Document(text or "", url_ or "", mime or ""), params.filter)
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
            found.append(answer.pii)

    documents = frame[kept].with_columns(
        pl.Series("text", texts, pl.String),
        pl.Series("language", codes, pl.String),
        pl.Series("language_score", scores, pl.Float64),
    )
    if params.filter.pii == "mask":
        documents = documents.with_columns(pl.Series("pii", found, pl.String))
    tables.write(documents, output / "documents.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    dropped = [str(row["id"]) for row in drops]
    conserved("filter", "documents", frame["id"], documents["id"], dropped)
    reasons = Counter(str(row["reason"]) for row in drops)
    counts = {"in": len(frame), "kept": len(documents), "dropped": dict(sorted(reasons.items()))}
    if params.filter.pii != "keep":
        held = [*found, *(str(row["detail"]) for row in drops if row["reason"] == pii.REASON)]
        counts["pii"] = pii.summed(held)
    return counts
