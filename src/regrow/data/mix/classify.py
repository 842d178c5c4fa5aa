"""The classify step: a topic and a quality score for every training document.

Both classifiers learn from the training documents themselves, labelled by the URLs that
params name; what they know about a page is its text (see `regrow.data.mix.features`). The
published recipe uses two fastText models for the same purpose (OLMo 3 report, sections
3.4.1 and A.2.3); `regrow.data.mix.given` takes such files in place of labels.

The table is passed over three times and never held: to find the labels, to read the examples, and to score every
document. In memory are the words of the examples, which `regrow.data.mix.labelled` bounds.

A recipe may cut the last pass, which costs nearly all of the time: `models` makes the first two, `part` scores a range
of the documents, and `run` gathers the scores. Uncut, `run` makes all of them, by the same functions.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regrow.data.mix import fitting, linear, scoring
from regrow.data.mix.features import Hasher
from regrow.data.mix.fitting import Classifier
from regrow.data.mix.labelled import Labelled
from regrow.data.mix.reporting import BAD, GOOD, ONLY, metrics
from regrow.data.mix.scoring import FEATURES, Given, Hashed, Known, Model
from regrow.data.mix.seeds import Prefixes
from regrow.data.tables import passes, ranges, stream
from regrow.data.tables.conservation import balanced
from regrow.params.data import Classify

_COLUMNS = ("id", "url", "text")
_NAMES = ("topic", "quality")
_SCORES = "scores.parquet"
_METRICS = "metrics.json"
_LABELLED = "labelled.json"
Models = Mapping[str, Given]
"""models that are there in place of those that labels would give, by name, `topic` and `quality`; the classes of the
second are `BAD` and `GOOD`. Nothing learns from the labels of such a model: it is measured on them"""


def run(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with scores.parquet, topic.safetensors, quality.safetensors, metrics.json.

    The table may have any order; scores come out sorted by id.

    Args:
        inputs: `decontaminate`; where the step is cut also `models`, which `models` filled, and `part.<part>`, which
            `part` filled.

    Raises:
        ValueError: a params list that cannot be used (a quality class without any page), or a column is missing.
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    return classified(inputs, params, output, {})


def models(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with the models that labels give, with metrics.json, and with what the scoring needs besides."""
    return fitted(inputs, params, output, {})[0]


def part(inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Fill `output` with scores.parquet of a part of the documents, `instance` (`003of016`)."""
    return scored(inputs, params, output, {}, instance)


def classified(
    inputs: Mapping[str, Path], params: Any, output: Path, given: Models
) -> dict[str, Any]:
    """As `run`, with models that are given."""
    output.mkdir(parents=True, exist_ok=True)
    parts = ranges.made(inputs)
    if parts:
        return _gathered(inputs, parts, output, given)
    with TemporaryDirectory(dir=output) as name:
        fits, one = Path(name) / "models", Path(name) / "part"
        needed = {**inputs, "models": fits}
        known = fitted(inputs, params, fits, given)[1]
        scored(needed, params, one, given, ranges.WHOLE, known)
        del known
        return _gathered(needed, [one], output, given)


def fitted(
    inputs: Mapping[str, Path], params: Any, output: Path, given: Models
) -> tuple[dict[str, Any], Known]:
    """As `models`, with models that are given; also returns what was read of the examples."""
    p: Classify = params.classify
    topics = dict(p.topics) or ({} if "topic" in given else {ONLY: []})
    lists = {GOOD: p.quality_positive, BAD: p.quality_negative}
    classes = given["topic"].model.classes if "topic" in given else tuple(sorted(topics))
    topic = Labelled("topic", classes, Prefixes(topics, "classify.topics"))
    quality = Labelled("quality", (BAD, GOOD), Prefixes(lists, "classify"))
    path = inputs["decontaminate"] / "train.parquet"
    needed = passes.schema(path, _COLUMNS, "decontaminate")
    columns = {column: needed[column] for column in _COLUMNS}
    table = ranges.prepare(path, columns, ("id", "url"), output)
    hasher = Hasher(p.buckets, p.max_words)
    documents = fitting.look(table, (topic, quality), hasher)
    if "quality" not in given:
        _check_quality(documents, quality.counts, p)
    known = fitting.read(table, [o for o in (topic, quality) if o.name not in given], hasher)
    both: list[Classifier] = []
    for one in (topic, quality):
        there = given.get(one.name)
        both.append(fitting.taken(table, one, there) if there else fitting.fit(one, known, p))
    _write(output, documents, both, given, p)
    labelled = {one.name: one.counts.total() for one in (topic, quality)}
    (output / _LABELLED).write_text(json.dumps(labelled, sort_keys=True) + "\n", encoding="utf-8")
    return {"documents": documents, "labelled": labelled}, known


def scored(
    inputs: Mapping[str, Path],
    params: Any,
    output: Path,
    given: Models,
    instance: str,
    known: Known | None = None,
) -> dict[str, Any]:
    """As `part`, with models that are given, and with what is known of some documents."""
    table = _table(inputs)
    within = ranges.of(table, instance)
    output.mkdir(parents=True, exist_ok=True)
    topic, quality = (_model(name, inputs["models"], given, params.classify) for name in _NAMES)
    kept = scoring.score(table, within, topic, quality, known, output / _SCORES)
    balanced("classify", f"documents of part {instance}", within[1] - within[0], kept=kept)
    return {"in": within[1] - within[0], "kept": kept}


def _table(inputs: Mapping[str, Path]) -> Path:
    return ranges.prepared(inputs["decontaminate"] / "train.parquet", inputs["models"])


def _model(name: str, folder: Path, given: Models, p: Classify) -> Model:
    if name in given:
        return given[name].model
    return Hashed(linear.load(folder / f"{name}.safetensors"), Hasher(p.buckets, p.max_words))


def _gathered(
    inputs: Mapping[str, Path], parts: list[Path], output: Path, given: Models
) -> dict[str, Any]:
    """The scores of all parts as one table, beside the models."""
    topics: Counter[str] = Counter()
    with stream.Writer(output / _SCORES, scoring.SCHEMA) as writer:
        for folder in parts:
            for row in stream.rows(folder / _SCORES):
                topics[row["topic"]] += 1
                writer.add(row)
    found = passes.ids(output / _SCORES)
    passes.conserved("classify", "documents", passes.ids(_table(inputs)), found, ())
    folder = inputs["models"]
    learned = [name for name in _NAMES if (folder / f"{name}.safetensors").exists()]
    for name in (*(f"{name}.safetensors" for name in learned), _METRICS):
        shutil.copyfile(folder / name, output / name)
    classes = (
        given["topic"].model.classes
        if "topic" in given
        else linear.load(folder / "topic.safetensors").classes
    )
    counts: dict[str, Any] = {
        "in": json.loads((folder / _METRICS).read_text(encoding="utf-8"))["documents"],
        "kept": writer.rows,
        "topics": {c: topics[c] for c in classes},
        "labelled": json.loads((folder / _LABELLED).read_text(encoding="utf-8")),
    }
    return counts | ({"given": {n: one.about for n, one in given.items()}} if given else {})


def _write(
    output: Path, documents: int, both: list[Classifier], given: Models, p: Classify
) -> None:
    """The models that were learned, and what every model is worth."""
    description: dict[str, object] = {"features": FEATURES, "words": p.max_words}
    measured: dict[str, Any] = {"documents": documents}
    for one in both:
        name = one.labelled.name
        if isinstance(one.model, Hashed) and name not in given:
            one.model.linear.save(output / f"{name}.safetensors", description)
        measured[name] = metrics(one, given.get(name))
    text = json.dumps(measured, indent=2, sort_keys=True) + "\n"
    (output / _METRICS).write_text(text, encoding="utf-8")


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
