"""What an index is over: the rows of token ids that a training step may take, each on its own.

A row is a packed sequence, a fine-tuning example, or one answer of a preference pair with its prompt.
No match runs over the end of a row, since no model sees two rows as one text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import parquet as tables

Tokens = NDArray[np.uint16]
CHUNK = 1 << 24
"""tokens of a pack that are read at once"""


@dataclass(frozen=True)
class Rows:
    """Some rows, one behind the other."""

    tokens: Tokens
    """of all rows: (sum of lengths,), uint16"""
    lengths: NDArray[np.int64]
    """tokens of each row: (rows,)"""
    table: str = ""
    """the table that they stand in; "" for a pack"""
    ids: list[str] | None = None
    """what a table calls them; a row of a pack is known by its number"""
    part: str = ""
    """`chosen` or `rejected` of pairs"""
    learned: NDArray[np.bool_] | None = None
    """which tokens the loss counts: (sum of lengths,); None: all but the first of each row"""


def packed(folder: Path) -> Iterator[Rows]:
    """The sequences of a pack, in their order.

    Raises:
        ValueError: tokens.bin has not the size that meta.json says.
    """
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    count, length = int(meta["sequences"]), int(meta["sequence_length"])
    path = folder / "tokens.bin"
    if path.stat().st_size != 2 * count * length:
        raise ValueError(
            f"{path}: {path.stat().st_size} bytes, but meta.json says {count} sequences of {length} "
            "two-byte tokens; restore or rebuild the folder"
        )
    stored = np.memmap(path, dtype="<u2", mode="r", shape=(count, length))
    step = max(1, CHUNK // length)
    for first in range(0, count, step):
        part = np.asarray(stored[first : first + step], dtype=np.uint16)
        yield Rows(part.reshape(-1), np.full(len(part), length, dtype=np.int64))


def examples(folder: Path) -> Iterator[Rows]:
    """The examples of both branches, each table by id, which is the order that training counts in."""
    for branch in ("think", "instruct"):
        frame = tables.read(folder / f"{branch}.parquet", ["id", "tokens", "mask"]).sort("id")
        learned = frame["mask"].explode(empty_as_null=False).to_numpy()
        yield _of(frame, pl.col("tokens"), branch, learned=np.asarray(learned, dtype=bool))


def pairs(folder: Path) -> Iterator[Rows]:
    """The pairs by id: first every prompt with its chosen answer, then every one with its rejected."""
    columns = ["id", "prompt", "chosen", "rejected"]
    frame = tables.read(folder / "pairs.parquet", columns).sort("id")
    for part in ("chosen", "rejected"):
        yield answers(frame, part, "pairs", part)


def answers(frame: pl.DataFrame, column: str, table: str, part: str = "") -> Rows:
    """Prompts with the answers of one column behind them; the answers are learned."""
    prompt = frame["prompt"].list.len().to_numpy().astype(np.int64)
    whole = prompt + frame[column].list.len().to_numpy().astype(np.int64)
    begins = np.cumsum(whole) - whole
    inside = np.arange(int(whole.sum())) - np.repeat(begins, whole)
    learned = inside >= np.repeat(prompt, whole)
    return _of(frame, pl.concat_list("prompt", column), table, part=part, learned=learned)


def _of(frame: pl.DataFrame, tokens: pl.Expr, table: str, **more: Any) -> Rows:
    lists = frame.select(tokens.alias("tokens"))["tokens"]
    flat = lists.explode(empty_as_null=False).to_numpy()
    if len(flat) and not 0 <= int(flat.min()) <= int(flat.max()) < 1 << 16:
        raise ValueError(f"{table}: tokens that do not fit 16 bits")
    lengths = lists.list.len().to_numpy().astype(np.int64)
    return Rows(flat.astype(np.uint16), lengths, table, frame["id"].to_list(), **more)
