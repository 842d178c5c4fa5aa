"""The classify step: a topic and a quality score for every training document.

Both classifiers learn from the training documents themselves, labelled by the URLs that
params name; what they know about a page is its text (see `regrow.data.mix.features`). The
published recipe uses two fastText models for the same purpose (OLMo 3 report, sections
3.4.1 and A.2.3).

The table is passed over three times and never held: to find the labels, to read the examples, and to score every
document. In memory are the words of the examples, which `regrow.data.mix.labelled` bounds.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from regrow.data.mix import linear, measure
from regrow.data.mix.features import Bag, Hasher
from regrow.data.mix.labelled import Example, Labelled
from regrow.data.mix.linear import Linear
from regrow.data.mix.seeds import Prefixes, Split, split
from regrow.data.tables import passes, stream
from regrow.data.tables.stream import Row
from regrow.params.data import Classify

ONLY = "all"
"""the topic of every document where params name no topics"""
GOOD, BAD = "positive", "negative"
_SCHEMA = {
    "id": pl.String, "topic": pl.String, "topic_score": pl.Float64, "quality": pl.Float64,
}  # fmt: skip
_REPORT_EVERY = 200


@dataclass(frozen=True)
class _Fitted:
    """A classifier, and what it says of the documents that it is measured on."""

    labelled: Labelled
    model: Linear
    examples: list[Example]
    parts: Split
    said: dict[int, list[float]]
    """probabilities of the classes, by place in the table"""

    def score(self, place: int, bag: Bag) -> list[float]:
        """Probabilities of the classes, of the document at a place."""
        scores: list[float] = self.model.probabilities(bag).tolist()
        if place in self.said:
            self.said[place] = scores
        return scores


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with scores.parquet, topic.safetensors, quality.safetensors, metrics.json.

    The table may have any order; scores come out sorted by id.

    Raises:
        ValueError: a params list that cannot be used (a quality class without any page), or a column is missing.
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    p: Classify = params.classify
    topics = dict(p.topics) or {ONLY: []}
    lists = {GOOD: p.quality_positive, BAD: p.quality_negative}
    topic = Labelled("topic", tuple(sorted(topics)), Prefixes(topics, "classify.topics"))
    quality = Labelled("quality", (BAD, GOOD), Prefixes(lists, "classify"))
    path = inputs["decontaminate"] / "train.parquet"
    needed = passes.schema(path, ("id", "url", "text"), "decontaminate")
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        columns = {column: needed[column] for column in ("id", "url", "text")}
        table = passes.ordered(path, columns, ("id", "url"), Path(name))
        hasher = Hasher(p.buckets, p.max_words)
        documents = _look(table, (topic, quality), hasher)
        _check_quality(documents, quality.counts, p)
        bags = _bags(table, (topic, quality), hasher)
        fits = [_fit(labelled, bags, p) for labelled in (topic, quality)]
        best = _score(table, fits, bags, hasher, output / "scores.parquet")
        scored = passes.ids(output / "scores.parquet")
        passes.conserved("classify", "documents", passes.ids(table), scored, ())
    description = {"features": "fnv1a words and bigrams, sqrt(count/total)", "words": p.max_words}
    metrics: dict[str, Any] = {"documents": documents}
    for fit in fits:
        fit.model.save(output / f"{fit.labelled.name}.safetensors", description)
        metrics[fit.labelled.name] = _metrics(fit)
    text = json.dumps(metrics, indent=2, sort_keys=True) + "\n"
    (output / "metrics.json").write_text(text, encoding="utf-8")
    return {
        "in": documents,
        "kept": best.total(),
        "topics": {c: best[i] for i, c in enumerate(topic.classes)},
        "labelled": {"topic": topic.counts.total(), "quality": quality.counts.total()},
    }


def _look(table: Path, both: tuple[Labelled, ...], hasher: Hasher) -> int:
    """Find the examples of both classifiers; return the number of documents."""
    place = 0
    for row, size in passes.heads(table, ["id", "url"], "text"):
        for labelled in both:
            labelled.see(place, row["id"], row["url"] or "", min(size, hasher.characters))
        place += 1
    return place


def _bags(table: Path, both: tuple[Labelled, ...], hasher: Hasher) -> dict[int, Bag]:
    """The words of the examples, by place."""
    wanted = {example.place for labelled in both for example in labelled.examples()}
    found = passes.picked(table, [], lambda place, _: place in wanted, ["text"])
    return {place: hasher.bag(row["text"]) for place, row in found}


def _check_quality(documents: int, counts: Counter[str], p: Classify) -> None:
    lists = {GOOD: p.quality_positive, BAD: p.quality_negative}
    if not documents or not (p.quality_positive or p.quality_negative):
        print(
            "  quality: params name no pages (classify.quality_positive, .quality_negative): all "
            "documents score the same, and the mix keeps them alike",
            file=sys.stderr,
        )
        return
    for label, prefixes in lists.items():
        if not counts[label]:
            raise ValueError(
                f"classify.quality_{label}: no training document has a URL under any of "
                f"{prefixes}; name prefixes of pages that the crawl fetched and the filters kept, "
                "or empty both quality lists to score all pages alike."
            )


def _fit(labelled: Labelled, bags: dict[int, Bag], p: Classify) -> _Fitted:
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
    return _Fitted(labelled, model, examples, parts, {examples[i].place: [] for i in parts.test})


def _score(
    table: Path, fits: list[_Fitted], bags: dict[int, Bag], hasher: Hasher, target: Path
) -> Counter[int]:
    """Write the scores of all documents; return how many have each topic, by its place in the model."""
    topic, quality = fits
    best: Counter[int] = Counter()
    with stream.Writer(target, _SCHEMA) as writer:
        for place, row in enumerate(stream.rows(table, ["id", "text"])):
            if place % _REPORT_EVERY == 0:
                print(f"  scores: {place} documents", file=sys.stderr)
            bag = bags[place] if place in bags else hasher.bag(row["text"])
            topics, (_, good) = topic.score(place, bag), quality.score(place, bag)
            guess = _best(topics)
            best[guess] += 1
            writer.add(_row(row["id"], topic.labelled.classes[guess], topics[guess], good))
    return best


def _row(id_: str, topic: str, topic_score: float, quality: float) -> Row:
    return {"id": id_, "topic": topic, "topic_score": topic_score, "quality": quality}


def _best(scores: list[float]) -> int:
    """The class with the highest score, the first of equals."""
    return max(range(len(scores)), key=lambda c: (scores[c], -c))


def _metrics(fit: _Fitted) -> dict[str, Any]:
    """Measure on the held-back share."""
    classes, name = fit.labelled.classes, fit.labelled.name
    tested = [fit.examples[i] for i in fit.parts.test]
    truth = [example.label for example in tested]
    guesses = [classes[_best(fit.said[example.place])] for example in tested]
    metrics = measure.report(truth, guesses, classes)
    for c in classes:
        learned = sum(fit.examples[i].label == c for i in fit.parts.train)
        metrics["classes"][c]["train_documents"] = learned
    if classes == (BAD, GOOD):
        by_label = {c: [fit.said[e.place][1] for e in tested if e.label == c] for c in classes}
        metrics["auc"] = measure.auc(by_label[GOOD], by_label[BAD])
    for c in classes:
        if not fit.labelled.counts[c] and c != ONLY:
            print(f"  {name}: no document is labelled {c}", file=sys.stderr)
    return metrics
