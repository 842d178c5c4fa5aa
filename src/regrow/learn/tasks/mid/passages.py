"""Real text: the best documents, and what pretraining read, as passages.

Documents are cut between paragraphs into passages, so that the small number of tokens that midtraining
takes holds many documents and not a few long ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.learn.tasks.mid.text import Text, identity, rank

PASSAGE = 3_000
"""characters after which a passage ends at the next paragraph"""


def cut(text: str) -> list[str]:
    """Consecutive passages that make up the text (blank lines between them left out)."""
    passages: list[str] = []
    current: list[str] = []
    size = 0
    for paragraph in text.split("\n\n"):
        if not paragraph.strip():
            continue
        current.append(paragraph)
        size += len(paragraph)
        if size >= PASSAGE:
            passages.append("\n\n".join(current))
            current, size = [], 0
    if current:
        passages.append("\n\n".join(current))
    return passages


def documents(inputs: dict[str, Path]) -> pl.DataFrame:
    """The documents that the mix keeps, with bucket and repeats, sorted by id.

    `best` says how many buckets are above a document's own in its topic (0: it is in the top one).

    Raises:
        regrow.data.tables.conservation.Lost: the mix and the documents are not of one run.
    """
    columns = ["id", "source", "licence", "mime", "text"]
    frame = tables.read(inputs["decontaminate"] / "train.parquet", columns)
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "topic", "bucket", "repeats"])
    top = mix.group_by("topic").agg(pl.col("bucket").max().alias("top"))
    mix = mix.join(top, on="topic").with_columns((pl.col("top") - pl.col("bucket")).alias("best"))
    kept = mix.filter(pl.col("repeats") > 0).select("id", "best", "repeats")
    frame = frame.join(kept, on="id").sort("id")
    conserved("midtrain_data", "documents of the mix", kept["id"], frame["id"], ())
    return frame


def quality(frame: pl.DataFrame, top_buckets: int, seed: int) -> Iterator[Text]:
    """Passages of the documents in the top quality buckets of their topic, each once."""
    best = frame.filter(pl.col("best") < top_buckets)
    yield from _ordered(best, "quality", seed, repeated=False)


def pretraining(frame: pl.DataFrame, top_buckets: int, seed: int) -> Iterator[Text]:
    """Passages of the other documents, in proportion to how often pretraining repeats them."""
    rest = frame.filter(pl.col("best") >= top_buckets)
    yield from _ordered(rest, "pretraining", seed, repeated=True)


def heldout(frame: pl.DataFrame, seed: int) -> Iterator[Text]:
    """Passages of held-out documents (id, source, licence, text), each once."""
    yield from _ordered(frame, "heldout", seed, repeated=False)


def _ordered(frame: pl.DataFrame, component: str, seed: int, *, repeated: bool) -> Iterator[Text]:
    ranked: list[tuple[bytes, Text]] = []
    for row in frame.to_dicts():
        for number, text in enumerate(cut(row["text"])):
            found = _passage(row, component, number, text)
            copies = range(row["repeats"] if repeated else 1)
            # The first of the copies: a document that is read twice is twice as likely to be early.
            place = min(rank(f"{component} {seed} {copy}", found.id) for copy in copies)
            ranked.append((place, found))
    ranked.sort(key=lambda pair: (pair[0], pair[1].id))
    yield from (passage for _, passage in ranked)


def _passage(row: dict[str, Any], component: str, number: int, text: str) -> Text:
    return Text(
        id=identity(component, row["id"], number),
        component=component,
        source=row["source"],
        generator=None,
        licence=row["licence"],
        parent=row["id"],
        text=text,
    )
