"""The filter step for a part of a source: document by document, so that memory does not grow with the part."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.filters.document import Document, Drop
from regrow.data.filters.step import REPORT_EVERY, judge
from regrow.data.tables import stream
from regrow.data.tables.conservation import balanced
from regrow.data.tables.parquet import DROPS


def run(
    inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str = ""
) -> dict[str, Any]:
    """Filter `text/documents.parquet`, sorted by id, into documents.parquet and drops.parquet.

    The decisions are those of `regrow.data.filters.step`.

    Raises:
        regrow.data.tables.conservation.Lost: a document was lost, which is an error of this step.
    """
    path = inputs["text"] / "documents.parquet"
    schema = stream.schema_of([path]) | {"language": pl.String, "language_score": pl.Float64}
    reasons: Counter[str] = Counter()
    came = 0
    with (
        stream.Writer(output / "documents.parquet", schema) as kept,
        stream.Writer(output / "drops.parquet", DROPS) as dropped,
    ):
        for row in stream.rows(path):
            came += 1
            if came % REPORT_EVERY == 0:
                print(f"filter {instance}: {came:,} documents", file=sys.stderr, flush=True)
            answer = judge(Document(row["text"] or "", row["url"] or ""), params.filter)
            if isinstance(answer, Drop):
                reasons[answer.reason] += 1
                dropped.add(
                    {
                        "id": row["id"], "url": row["url"], "step": "filter", "reason": answer.reason,
                        "value": answer.value, "threshold": answer.threshold, "detail": answer.detail,
                    }
                )  # fmt: skip
            else:
                kept.add(
                    row
                    | {
                        "text": answer.text, "language": answer.language,
                        "language_score": answer.language_score,
                    }
                )  # fmt: skip
    balanced("filter", "documents", came, kept=kept.rows, dropped=dropped.rows)
    return {"in": came, "kept": kept.rows, "dropped": dict(sorted(reasons.items()))}
