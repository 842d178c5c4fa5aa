"""What scores documents: models, and one pass that writes the scores of all documents, or of a part of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from regrow.data.mix.features import Bag, Hasher
from regrow.data.mix.linear import Linear
from regrow.data.tables import stream
from regrow.data.tables.stream import Row, Rows

SCHEMA = {
    "id": pl.String, "topic": pl.String, "topic_score": pl.Float64, "quality": pl.Float64,
}  # fmt: skip
FEATURES = "fnv1a words and bigrams, sqrt(count/total)"
"""what `Hashed` models read, as their files say it"""
_REPORT_EVERY = 200
Bags = dict[int, Bag]
"""words of documents that are read more than once, by place in the table"""


@dataclass(frozen=True)
class Known:
    """Bags that are there already, and the hasher that made them."""

    hasher: Hasher
    bags: Bags


class Page:
    """The text of a document; its bags of words are made when a model asks, once for all models that read alike."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._bags: dict[tuple[int, int], Bag] = {}

    def know(self, hasher: Hasher, bag: Bag) -> None:
        """Take a bag that was made before."""
        self._bags[hasher.buckets, hasher.max_words] = bag

    def bag(self, hasher: Hasher) -> Bag:
        """The bag of the text by a hasher."""
        key = (hasher.buckets, hasher.max_words)
        if key not in self._bags:
            self._bags[key] = hasher.bag(self.text)
        return self._bags[key]


class Model(Protocol):
    """What gives a document a score for each of its classes."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""

    def scores(self, page: Page) -> list[float]:
        """A number between 0 and 1 for each class."""


@dataclass(frozen=True)
class Hashed:
    """A linear model over the bags of a hasher."""

    linear: Linear
    hasher: Hasher

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the linear model."""
        return self.linear.classes

    def scores(self, page: Page) -> list[float]:
        """Probabilities of the classes."""
        found: list[float] = self.linear.probabilities(page.bag(self.hasher)).tolist()
        return found


@dataclass(frozen=True)
class Given:
    """A model that is given, and what is said of it: its file below the repository, SHA-256 and format."""

    model: Model
    about: dict[str, str]


def best(scores: list[float]) -> int:
    """The class with the highest score, the first of equals."""
    return max(range(len(scores)), key=lambda c: (scores[c], -c))


def score(
    table: Path, within: Rows, topic: Model, quality: Model, known: Known | None, target: Path
) -> int:
    """Write the scores of the documents of a range; return how many they are.

    Args:
        table: documents in the order of their ids.
        within: the range.
        quality: its second class is the good one.
        known: what was read before of some documents, if anything.
    """
    with stream.Writer(target, SCHEMA) as writer:
        for place, row in enumerate(stream.rows(table, ["id", "text"], within), within[0]):
            if (place - within[0]) % _REPORT_EVERY == 0:
                print(f"  scores: {place - within[0]} documents", file=sys.stderr)
            page = Page(row["text"])
            if known is not None and place in known.bags:
                page.know(known.hasher, known.bags[place])
            topics, (_, good) = topic.scores(page), quality.scores(page)
            guess = best(topics)
            writer.add(_row(row["id"], topic.classes[guess], topics[guess], good))
    return writer.rows


def _row(id_: str, topic: str, topic_score: float, quality: float) -> Row:
    return {"id": id_, "topic": topic, "topic_score": topic_score, "quality": quality}
