"""From labels to a classifier: find the labelled documents, read their words, learn from all but a held-back share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regrow.data.mix import linear
from regrow.data.mix.features import Hasher
from regrow.data.mix.labelled import Example, Labelled
from regrow.data.mix.scoring import Given, Hashed, Known, Model, Page
from regrow.data.mix.seeds import Split, split
from regrow.data.tables import passes
from regrow.params.data import Classify


def look(table: Path, both: tuple[Labelled, ...], hasher: Hasher) -> int:
    """Find the examples of both classifiers; return the number of documents."""
    place = 0
    for row, size in passes.heads(table, ["id", "url"], "text"):
        for labelled in both:
            labelled.see(place, row["id"], row["url"] or "", min(size, hasher.characters))
        place += 1
    return place


def read(table: Path, learned: list[Labelled], hasher: Hasher) -> Known:
    """The words of the examples, by place."""
    wanted = {example.place for labelled in learned for example in labelled.examples()}
    found = passes.picked(table, [], lambda place, _: place in wanted, ["text"])
    return Known(hasher, {place: hasher.bag(row["text"]) for place, row in found})


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


def fit(labelled: Labelled, known: Known, p: Classify) -> Classifier:
    """Train on the examples, but for the share that is held back to measure on."""
    examples, classes, bags = labelled.examples(), labelled.classes, known.bags
    parts = split([e.id for e in examples], [e.label for e in examples], p.test_share, p.seed)
    where = {c: i for i, c in enumerate(classes)}
    linear_model = linear.train(
        [bags[examples[i].place] for i in parts.train],
        [where[examples[i].label] for i in parts.train],
        classes,
        buckets=p.buckets,
        epochs=p.epochs,
        learning_rate=p.learning_rate,
        key=f"classify {labelled.name} {p.seed}",
    )
    model, said = Hashed(linear_model, known.hasher), {}
    for place in (examples[i].place for i in parts.test):
        page = Page("")
        page.know(known.hasher, bags[place])
        said[place] = model.scores(page)
    return Classifier(labelled, model, examples, parts, said)


def taken(table: Path, labelled: Labelled, given: Given) -> Classifier:
    """A model that is given: it learned from no document here, so it is measured on every example."""
    examples = labelled.examples()
    parts = Split([], list(range(len(examples))))
    wanted = {example.place for example in examples}
    found = passes.picked(table, [], lambda place, _: place in wanted, ["text"]) if wanted else ()
    said = {place: given.model.scores(Page(row["text"])) for place, row in found}
    return Classifier(labelled, given.model, examples, parts, said)
