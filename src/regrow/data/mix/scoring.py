"""What scores documents: a classifier, its labelled documents, and one pass that writes the scores of all."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from regrow.data.mix.features import Bag, Hasher
from regrow.data.mix.labelled import Example, Labelled
from regrow.data.mix.linear import Linear
from regrow.data.mix.seeds import Split
from regrow.data.tables import stream
from regrow.data.tables.stream import Row

SCHEMA = {
    "id": pl.String, "topic": pl.String, "topic_score": pl.Float64, "quality": pl.Float64,
}  # fmt: skip
FEATURES = "fnv1a words and bigrams, sqrt(count/total)"
"""what `Hashed` models read, as their files say it"""
_REPORT_EVERY = 200
Bags = dict[int, Bag]
"""words of documents that are read more than once, by place in the table"""


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


@dataclass(frozen=True)
class Classifier:
    """A model, its labelled documents, and what it says of those that it is measured on."""

    labelled: Labelled
    model: Model
    examples: list[Example]
    parts: Split
    """of the examples: those that the model learned from, and those that it is measured on"""
    said: dict[int, list[float]]
    """scores of the documents that it is measured on, by place in the table"""

    def score(self, place: int, page: Page) -> list[float]:
        """Scores of the document at a place."""
        scores = self.model.scores(page)
        if place in self.said:
            self.said[place] = scores
        return scores


def best(scores: list[float]) -> int:
    """The class with the highest score, the first of equals."""
    return max(range(len(scores)), key=lambda c: (scores[c], -c))


def score(
    table: Path, topic: Classifier, quality: Classifier, known: tuple[Hasher, Bags], target: Path
) -> Counter[str]:
    """Write the scores of all documents; return how many have each topic.

    Args:
        table: documents in the order of their ids.
        quality: its second class is the good one.
        known: bags that are there already, by place, and the hasher that made them.
    """
    hasher, bags = known
    classes = topic.model.classes
    found: Counter[str] = Counter()
    with stream.Writer(target, SCHEMA) as writer:
        for place, row in enumerate(stream.rows(table, ["id", "text"])):
            if place % _REPORT_EVERY == 0:
                print(f"  scores: {place} documents", file=sys.stderr)
            page = Page(row["text"])
            if place in bags:
                page.know(hasher, bags[place])
            topics, (_, good) = topic.score(place, page), quality.score(place, page)
            guess = best(topics)
            found[classes[guess]] += 1
            writer.add(_row(row["id"], classes[guess], topics[guess], good))
    return found


def _row(id_: str, topic: str, topic_score: float, quality: float) -> Row:
    return {"id": id_, "topic": topic, "topic_score": topic_score, "quality": quality}
