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
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
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
from regrow.data.tables import passes, stream
from regrow.data.tables.drops import drop_row
from regrow.data.tables.parquet import DROPS
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


def run(
    inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str = ""
) -> dict[str, Any]:
    """Filter `text/documents.parquet`, or a part of it, into documents.parquet and drops.parquet.

    Documents are filtered one by one, and none is held. `instance` names the part in the progress that is shown.

    Returns the counts of documents in, kept and dropped by reason; where personal data is masked or
    dropped, also how many documents held how much of which kind (of those that passed all other filters).
    The column `pii` is written only where it is masked.

    Raises:
        ValueError: the table lacks a column that the filters read.
        regrow.data.tables.conservation.Lost: a document was lost, which is an error of this step.
    """
    path = inputs["text"] / "documents.parquet"
    columns = passes.schema(path, ("id", "url", "text"), "text")
    schema: dict[str, type[pl.DataType]] = {
        **columns,
        "language": pl.String,
        "language_score": pl.Float64,
    }
    if params.filter.pii == "mask":
        schema["pii"] = pl.String
    output.mkdir(parents=True, exist_ok=True)
    reasons: Counter[str] = Counter()
    held: list[str] = []
    with TemporaryDirectory(dir=output) as scratch:
        table = passes.ordered(path, columns, ("id",), Path(scratch))
        with (
            stream.Writer(output / "documents.parquet", schema) as documents,
            stream.Writer(output / "drops.parquet", DROPS) as drops,
        ):
            for came, row in enumerate(stream.rows(table), start=1):
                if came % REPORT_EVERY == 0:
                    print(f"filter {instance}: {came:,} documents", file=sys.stderr, flush=True)
                document = Document(row["text"] or "", row["url"] or "", row.get("mime") or "")
                answer = judge(document, params.filter)
                if isinstance(answer, Drop):
                    drops.add(_drop(row, answer))
                    reasons[answer.reason] += 1
                    found = answer.detail if answer.reason == pii.REASON else None
                else:
                    documents.add(row | _kept(answer))
                    found = answer.pii
                if found:
                    held.append(found)
        ids = [passes.ids(output / f"{name}.parquet") for name in ("documents", "drops")]
        passes.conserved("filter", "documents", passes.ids(table), *ids)
    counts: dict[str, Any] = {
        "in": documents.rows + drops.rows,
        "kept": documents.rows,
        "dropped": dict(sorted(reasons.items())),
    }
    if params.filter.pii != "keep":
        counts["pii"] = pii.summed(held)
    return counts


def _drop(row: stream.Row, answer: Drop) -> stream.Row:
    about = answer.reason, answer.value, answer.threshold, answer.detail
    return drop_row("filter", row["id"], row["url"], *about)


def _kept(answer: Document) -> stream.Row:
    """The columns that the filters write."""
    return {
        "text": answer.text,
        "language": answer.language,
        "language_score": answer.language_score,
        "pii": answer.pii,
    }
