"""The classify step: a topic and a quality score for every training document.

Both classifiers learn from the training documents themselves, labelled by the URLs that
params name; what they know about a page is its text (see `regrow.data.mix.features`). The
published recipe uses two fastText models for the same purpose (OLMo 3 report, sections
3.4.1 and A.2.3).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.mix import linear, measure
from regrow.data.mix.features import Bag, Hasher
from regrow.data.mix.linear import Linear
from regrow.data.mix.seeds import Prefixes, split
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.params.data import Classify

ONLY = "all"
"""the topic of every document where params name no topics"""
GOOD, BAD = "positive", "negative"


@dataclass(frozen=True)
class _Corpus:
    ids: list[str]
    urls: list[str]
    bags: list[Bag]


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with scores.parquet, topic.safetensors, quality.safetensors, metrics.json.

    Raises:
        ValueError: a params list that cannot be used (a quality class without any page).
    """
    p: Classify = params.classify
    topics = dict(p.topics) or {ONLY: []}
    topic_seeds = Prefixes(topics, "classify.topics")
    quality_seeds = Prefixes({GOOD: p.quality_positive, BAD: p.quality_negative}, "classify")
    corpus = _read(inputs["decontaminate"] / "train.parquet", p)

    topic_labels = [topic_seeds.label(url) for url in corpus.urls]
    quality_labels = [quality_seeds.label(url) for url in corpus.urls]
    _check_quality(quality_labels, p)

    topic, topic_metrics, topic_p = _fit("topic", corpus, topic_labels, tuple(sorted(topics)), p)
    quality, quality_metrics, quality_p = _fit("quality", corpus, quality_labels, (BAD, GOOD), p)
    best = [max(range(len(row)), key=lambda c: (row[c], -c)) for row in topic_p]

    output.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(
        {
            "id": corpus.ids,
            "topic": [topic.classes[c] for c in best],
            "topic_score": [row[c] for row, c in zip(topic_p, best, strict=True)],
            "quality": [row[1] for row in quality_p],
        },
        schema={
            "id": pl.String,
            "topic": pl.String,
            "topic_score": pl.Float64,
            "quality": pl.Float64,
        },
    )
    conserved("classify", "documents", corpus.ids, frame["id"], ())
    tables.write(frame.sort("id"), output / "scores.parquet")
    description = {"features": "fnv1a words and bigrams, sqrt(count/total)", "words": p.max_words}
    topic.save(output / "topic.safetensors", description)
    quality.save(output / "quality.safetensors", description)
    metrics = {"documents": len(corpus.ids), "topic": topic_metrics, "quality": quality_metrics}
    text = json.dumps(metrics, indent=2, sort_keys=True) + "\n"
    (output / "metrics.json").write_text(text, encoding="utf-8")
    return {
        "in": len(corpus.ids),
        "kept": frame.height,
        "topics": {c: best.count(i) for i, c in enumerate(topic.classes)},
        "labelled": {"topic": _known(topic_labels), "quality": _known(quality_labels)},
    }


def _read(path: Path, p: Classify) -> _Corpus:
    frame = tables.read(path, ["id", "url", "text"])
    hasher = Hasher(p.buckets, p.max_words)
    bags = []
    for i, text in enumerate(frame["text"].to_list()):
        bags.append(hasher.bag(text))
        if i % 200 == 0:
            print(f"  features: {i}/{frame.height} documents", file=sys.stderr)
    return _Corpus(frame["id"].to_list(), frame["url"].to_list(), bags)


def _known(labels: list[str | None]) -> int:
    return sum(1 for label in labels if label is not None)


def _check_quality(labels: list[str | None], p: Classify) -> None:
    lists = {GOOD: p.quality_positive, BAD: p.quality_negative}
    if not labels or not (p.quality_positive or p.quality_negative):
        print(
            "  quality: params name no pages (classify.quality_positive, .quality_negative): all "
            "documents score the same, and the mix keeps them alike",
            file=sys.stderr,
        )
        return
    for label, prefixes in lists.items():
        if label not in labels:
            raise ValueError(
                f"classify.quality_{label}: no training document has a URL under any of "
                f"{prefixes}; name prefixes of pages that the crawl fetched and the filters kept, "
                "or empty both quality lists to score all pages alike."
            )


def _fit(
    name: str, corpus: _Corpus, labels: list[str | None], classes: tuple[str, ...], p: Classify
) -> tuple[Linear, dict[str, Any], list[list[float]]]:
    """Train on the labelled documents, measure on the held-back share, score all of them."""
    parts = split(corpus.ids, labels, p.test_share, p.seed)
    where = {c: i for i, c in enumerate(classes)}
    model = linear.train(
        [corpus.bags[i] for i in parts.train],
        [where[str(labels[i])] for i in parts.train],
        classes,
        buckets=p.buckets,
        epochs=p.epochs,
        learning_rate=p.learning_rate,
        key=f"classify {name} {p.seed}",
    )
    scores = [model.probabilities(bag).tolist() for bag in corpus.bags]
    guesses = [max(range(len(classes)), key=lambda c: (scores[i][c], -c)) for i in parts.test]
    truth = [str(labels[i]) for i in parts.test]
    metrics = measure.report(truth, [classes[g] for g in guesses], classes)
    for c in classes:
        metrics["classes"][c]["train_documents"] = sum(labels[i] == c for i in parts.train)
    if classes == (BAD, GOOD):
        by_label = {c: [scores[i][1] for i in parts.test if labels[i] == c] for c in classes}
        metrics["auc"] = measure.auc(by_label[GOOD], by_label[BAD])
    for c in classes:
        if c not in labels and c != ONLY:
            print(f"  {name}: no document is labelled {c}", file=sys.stderr)
    return model, metrics, scores
