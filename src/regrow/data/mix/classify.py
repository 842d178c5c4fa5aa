"""The classify step: a topic and a quality score for every training document.

Both classifiers learn from the training documents themselves, labelled by the URLs that
params name; what they know about a page is its text (see `regrow.data.mix.features`). The
published recipe uses two fastText models for the same purpose (OLMo 3 report, sections
3.4.1 and A.2.3); `regrow.data.mix.given` takes such files in place of labels.

The table is passed over three times and never held: to find the labels, to read the examples, and to score every
document. In memory are the words of the examples, which `regrow.data.mix.labelled` bounds.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regrow.data.mix import fitting, scoring
from regrow.data.mix.features import Hasher
from regrow.data.mix.labelled import Labelled
from regrow.data.mix.reporting import BAD, GOOD, ONLY, metrics
from regrow.data.mix.scoring import FEATURES, Classifier, Given, Hashed
from regrow.data.mix.seeds import Prefixes
from regrow.data.tables import passes
from regrow.params.data import Classify

_COLUMNS = ("id", "url", "text")


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with scores.parquet, topic.safetensors, quality.safetensors, metrics.json.

    The table may have any order; scores come out sorted by id.

    Raises:
        ValueError: a params list that cannot be used (a quality class without any page), or a column is missing.
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    return classified(inputs, params, output, {})


def classified(
    inputs: dict[str, Path], params: Any, output: Path, models: Mapping[str, Given]
) -> dict[str, Any]:
    """Fill `output` as `run` does, with models that are there in place of those that labels would give.

    Args:
        models: by name, `topic` and `quality`; the classes of the second are `BAD` and `GOOD`. Nothing learns from the
            labels of a model that is here: it is measured on them.
    """
    p: Classify = params.classify
    topics = dict(p.topics) or ({} if "topic" in models else {ONLY: []})
    lists = {GOOD: p.quality_positive, BAD: p.quality_negative}
    classes = models["topic"].model.classes if "topic" in models else tuple(sorted(topics))
    topic = Labelled("topic", classes, Prefixes(topics, "classify.topics"))
    quality = Labelled("quality", (BAD, GOOD), Prefixes(lists, "classify"))
    path = inputs["decontaminate"] / "train.parquet"
    needed = passes.schema(path, _COLUMNS, "decontaminate")
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        columns = {column: needed[column] for column in _COLUMNS}
        table = passes.ordered(path, columns, ("id", "url"), Path(name))
        hasher = Hasher(p.buckets, p.max_words)
        documents = fitting.look(table, (topic, quality), hasher)
        if "quality" not in models:
            _check_quality(documents, quality.counts, p)
        learned = [one for one in (topic, quality) if one.name not in models]
        bags = fitting.read(table, learned, hasher)
        both: list[Classifier] = []
        for one in (topic, quality):
            given = models.get(one.name)
            fitted = fitting.taken(one, given) if given else fitting.fit(one, bags, hasher, p)
            both.append(fitted)
        found = scoring.score(table, both[0], both[1], (hasher, bags), output / "scores.parquet")
        scored = passes.ids(output / "scores.parquet")
        passes.conserved("classify", "documents", passes.ids(table), scored, ())
    _write(output, documents, both, models, p)
    counts: dict[str, Any] = {
        "in": documents,
        "kept": found.total(),
        "topics": {c: found[c] for c in classes},
        "labelled": {"topic": topic.counts.total(), "quality": quality.counts.total()},
    }
    return counts | ({"given": {n: one.about for n, one in models.items()}} if models else {})


def _write(
    output: Path, documents: int, both: list[Classifier], models: Mapping[str, Given], p: Classify
) -> None:
    """The models that were learned, and what every model is worth."""
    description: dict[str, object] = {"features": FEATURES, "words": p.max_words}
    measured: dict[str, Any] = {"documents": documents}
    for one in both:
        name = one.labelled.name
        if isinstance(one.model, Hashed) and name not in models:
            one.model.linear.save(output / f"{name}.safetensors", description)
        measured[name] = metrics(one, models.get(name))
    text = json.dumps(measured, indent=2, sort_keys=True) + "\n"
    (output / "metrics.json").write_text(text, encoding="utf-8")


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
