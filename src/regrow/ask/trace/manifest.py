"""Rows of the crawl's table that are about a file or a host of the manifest, not about an address."""

from __future__ import annotations

from typing import Any

from regrow.ask.trace.stop import Outcome, Stop

OUTCOMES: dict[str, Outcome] = {"foreign": "copied", "not_visited": "not visited"}
"""what the crawl calls such a row (`crawl.rows.SOURCES`, whose import takes long) and what its stop is called"""
_FATES = {"copied": "a WARC file from elsewhere, copied", "not visited": "host not visited"}
_FACTS = ("host", "mime", "bytes", "detail")


def is_address(row: dict[str, Any]) -> bool:
    """Whether a row of fetches.parquet is about an address."""
    return row.get("outcome") not in OUTCOMES


def stop(row: dict[str, Any]) -> Stop:
    """The stop of a row that is about no address. No request was made: it has neither status nor depth."""
    facts = {name: row[name] for name in _FACTS if row.get(name)}
    return Stop("crawl", OUTCOMES[row["outcome"]], facts)


def fate(last: Stop) -> str | None:
    """What became of such a file or host, in one sentence; None for any other stop."""
    said = _FATES.get(last.outcome)
    return said and f"{said}: {last.facts.get('detail', 'no detail recorded')}"
