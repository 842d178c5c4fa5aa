"""The classify step where model files are given: topics by one, quality by another, or either of them alone.

Two formats. **fastText** (arXiv 1607.01759), which Dolma's and DCLM's classifiers have, read by the package
fasttext-predict: a document is one line, as DCLM hands it over, of its first `classify.max_words` words. The library
adds 32-bit floats in one fixed order in one thread and calls the C library's exp; a score is rounded to `DIGITS`
decimals, so that a last bit of that function cannot reach the output but at the edge of a rounding. **Regrow's own**
file, `topic.safetensors` or `quality.safetensors` of another run, gives the bits that it gave there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasttext

from regrow.data.mix import classify, linear, model_file
from regrow.data.mix.features import Hasher
from regrow.data.mix.model_file import Described
from regrow.data.mix.reporting import BAD, GOOD
from regrow.data.mix.scoring import Given, Hashed, Model, Page
from regrow.params.data import Classify

DIGITS = 4


def run(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with scores.parquet and metrics.json, and with a model file for each model that labels gave.

    Labels of a model that is given measure it; without them nothing is measured, and metrics.json says so.

    Raises:
        regrow.data.mix.model_file.ModelError: a file is no classifier, is too large, or lacks a label that params name.
        ValueError, regrow.data.tables.conservation.Lost: as `regrow.data.mix.classify.run`.
    """
    return classify.classified(inputs, params, output, _given(inputs, params.classify))


def models(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """As `regrow.data.mix.classify.models`."""
    return classify.fitted(inputs, params, output, _given(inputs, params.classify))[0]


def part(inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """As `regrow.data.mix.classify.part`."""
    return classify.scored(inputs, params, output, _given(inputs, params.classify), instance)


def _given(inputs: Mapping[str, Path], p: Classify) -> dict[str, Given]:
    found = {}
    if p.topic_model:
        found["topic"] = _topics(inputs["topic_model"], p.topic_model, p)
    if p.quality_model:
        found["quality"] = _quality(inputs["quality_model"], p.quality_model, p)
    return found


@dataclass(frozen=True)
class Topics:
    """A model whose classes are the topics, by name."""

    classes: tuple[str, ...]
    order: tuple[int, ...]
    """places of the classes in the model"""
    model: Model

    def scores(self, page: Page) -> list[float]:
        """The model's scores, in the order of the classes."""
        found = self.model.scores(page)
        return [found[place] for place in self.order]


@dataclass(frozen=True)
class Quality:
    """The score of one label of a model, as a choice between good and bad."""

    good: int
    model: Model
    classes: tuple[str, ...] = (BAD, GOOD)

    def scores(self, page: Page) -> list[float]:
        """What is left, and the score of the good label."""
        good = self.model.scores(page)[self.good]
        return [1.0 - good, good]


@dataclass(frozen=True)
class FastText:
    """A fastText model."""

    classes: tuple[str, ...]
    """its labels, prefix included"""
    words: int
    """of a document that are read, from its start"""
    predictor: fasttext.FastText._FastText

    def scores(self, page: Page) -> list[float]:
        """Score of each label, rounded; 0 for one that the library leaves out, which is below 0.00001."""
        line = " ".join(page.text.split(maxsplit=self.words)[: self.words])
        labels, scores = self.predictor.predict(line, k=-1)
        said = dict(zip(labels, scores, strict=True))
        return [min(round(float(said.get(one, 0.0)), DIGITS), 1.0) for one in self.classes]


def _topics(path: Path, shown: str, p: Classify) -> Given:
    found, model = _load(path, shown, "classify.topic_model", p)
    model_file.check_topics(list(p.topics), found.names, shown)
    order = sorted(range(len(found.names)), key=found.names.__getitem__)
    classes = tuple(found.names[place] for place in order)
    return Given(Topics(classes, tuple(order), model), _about(path, shown, found))


def _quality(path: Path, shown: str, p: Classify) -> Given:
    found, model = _load(path, shown, "classify.quality_model", p)
    good = model_file.good(found.labels, p.quality_label, shown)
    about = _about(path, shown, found) | {"label": found.labels[good]}
    return Given(Quality(good, model), about)


def _load(path: Path, shown: str, field: str, p: Classify) -> tuple[Described, Model]:
    found = model_file.describe(path, shown, field, p.max_model_bytes)
    if found.format == "fastText":
        return found, FastText(found.labels, p.max_words, fasttext.load_model(str(path)))
    own, meta = linear.described(path)
    return found, Hashed(own, Hasher(len(own.weight), meta["words"]))


def _about(path: Path, shown: str, found: Described) -> dict[str, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": shown, "sha256": digest, "format": found.format}
