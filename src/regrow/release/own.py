"""What a fork brought: its documents and conversations by source and licence, and one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet
from regrow.release.records import Artifact

KINDS = {
    "regrow.learn.tasks.forkmix:run": "documents",
    "regrow.learn.tasks.forksft:run": "conversations",
    "regrow.learn.tasks.chats:run": "conversations",
}
"""functions of the steps that read what somebody brings, and what they read"""
SHOWN = 200
"""documents that a card names one by one"""
_FATES = ("kept", "held out", "unused", "dropped")


@dataclass(frozen=True)
class Own:
    """The documents or the conversations that somebody brought."""

    step: str
    """`forkmix.notes`"""
    kind: str
    """documents, conversations"""
    point: str
    """the checkpoint of the parent that the fork begins from, "" where it is not recorded"""
    shares: tuple[dict[str, Any], ...]
    """by source and licence: how many, trained on, held out, unused, dropped, tokens"""
    rows: tuple[dict[str, Any], ...]
    """one by one, sorted by address and id; the first SHOWN"""

    @property
    def count(self) -> int:
        """All of them."""
        return sum(int(row["count"]) for row in self.shares)

    @property
    def tokens(self) -> int:
        """In training, repeats counted."""
        return sum(int(row["tokens"]) for row in self.shares)

    @property
    def licences(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted({str(row["licence"]) for row in self.shares}))


def read(inputs: Mapping[str, Path], records: Mapping[str, Artifact]) -> list[Own]:
    """What the inputs hold that the steps in `KINDS` made, documents first; [] where nothing was brought.

    Raises:
        OSError: `contributions.parquet` of one is missing.
    """
    found = []
    for function, kind in KINDS.items():
        for name in sorted(n for n in inputs if n in records and records[n].function == function):
            table = parquet.read(inputs[name] / "contributions.parquet")
            fork = records[name].params.get("fork", {})
            point = f"{fork['stage']}-{fork['checkpoint']:06d}" if fork else ""
            found.append(Own(name, kind, point, tuple(_shares(table)), tuple(_rows(table))))
    return found


def _shares(table: pl.DataFrame) -> list[dict[str, Any]]:
    fates = [(pl.col("outcome") == fate).sum().alias(fate.replace(" ", "_")) for fate in _FATES]
    grouped = table.group_by("source", "licence").agg(
        pl.len().alias("count"), *fates, pl.col("tokens").sum()
    )
    return grouped.sort("source", "licence").to_dicts()


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ["id", "url", "source", "licence", "outcome", "tokens"]
    return table.select(columns).sort("url", "id", nulls_last=True).head(SHOWN).to_dicts()
