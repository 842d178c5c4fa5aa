"""From labels to a classifier: find the labelled documents, read their words, learn from all but a held-back share."""

from __future__ import annotations

from pathlib import Path

from regrow.data.mix import linear
from regrow.data.mix.features import Hasher
from regrow.data.mix.labelled import Labelled
from regrow.data.mix.scoring import Bags, Classifier, Given, Hashed
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


def read(table: Path, learned: list[Labelled], hasher: Hasher) -> Bags:
    """The words of the examples, by place."""
    wanted = {example.place for labelled in learned for example in labelled.examples()}
    found = passes.picked(table, [], lambda place, _: place in wanted, ["text"])
    return {place: hasher.bag(row["text"]) for place, row in found}


def fit(labelled: Labelled, bags: Bags, hasher: Hasher, p: Classify) -> Classifier:
    """Train on the examples, but for the share that is held back to measure on."""
    examples, classes = labelled.examples(), labelled.classes
    parts = split([e.id for e in examples], [e.label for e in examples], p.test_share, p.seed)
    where = {c: i for i, c in enumerate(classes)}
    model = linear.train(
        [bags[examples[i].place] for i in parts.train],
        [where[examples[i].label] for i in parts.train],
        classes,
        buckets=p.buckets,
        epochs=p.epochs,
        learning_rate=p.learning_rate,
        key=f"classify {labelled.name} {p.seed}",
    )
    said: dict[int, list[float]] = {examples[i].place: [] for i in parts.test}
    return Classifier(labelled, Hashed(model, hasher), examples, parts, said)


def taken(labelled: Labelled, given: Given) -> Classifier:
    """A model that is given: it learned from no document here, so it is measured on every example."""
    examples = labelled.examples()
    parts = Split([], list(range(len(examples))))
    return Classifier(labelled, given.model, examples, parts, {e.place: [] for e in examples})
