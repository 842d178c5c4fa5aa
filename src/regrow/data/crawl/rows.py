"""What became of every address: the rows of fetches.parquet."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from regrow.data.crawl.fetch import Answer

SCHEMA = {
    "url": pl.String, "host": pl.String, "status": pl.Int64, "mime": pl.String, "bytes": pl.Int64,
    "depth": pl.Int64, "outcome": pl.String, "detail": pl.String,
}  # fmt: skip
_LONGEST = 2_400  # an address has at most 2,048 characters
SOURCES = frozenset({"foreign", "not_visited"})
"""outcomes of rows that name a file or a host of the manifest, not an address"""


@dataclass(frozen=True)
class Fetch:
    """What became of a URL."""

    url: str
    host: str
    """of the crawl that met it"""
    status: int
    """0: no answer, or none was asked for"""
    mime: str
    bytes: int
    depth: int
    outcome: str
    detail: str = ""


def row(
    url: str, host: str, answer: Answer | None, outcome: str, detail: str, depth: int = 0
) -> Fetch:
    """The row of an address; `answer` is None where it was not asked for."""
    url, detail = _printable(url), _printable(detail)
    if answer is None:
        return Fetch(url, host, 0, "", 0, depth, outcome, detail)
    size = len(answer.body)
    return Fetch(url, host, answer.status, answer.mime, size, depth, outcome, detail)


def _printable(text: str) -> str:
    """Text from the wire, fit for a table and a terminal."""
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST])


def failed(url: str, host: str, error: Exception, depth: int = 0) -> Fetch:
    """The row of an address at which our own code failed.

    It names the kind of error alone: messages may hold what differs from run to run.
    """
    return Fetch(url, host, 0, "", 0, depth, "internal_error", type(error).__name__)
