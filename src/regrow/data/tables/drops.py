"""A row of the table of dropped documents, whatever step drops it."""

from __future__ import annotations

from typing import Any


def drop_row(
    step: str,
    own: str,
    url: str | None,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    """The row of a drop, with the columns of `regrow.data.tables.parquet.DROPS`; `own` is the id of the document."""
    return {
        "id": own, "url": url, "step": step, "reason": reason, "value": value, "threshold": threshold,
        "detail": detail,
    }  # fmt: skip
