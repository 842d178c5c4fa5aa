"""Classification in passes: the classifiers and scores of one pass over everything, at any size, holding little."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from determinism import hashes
from held import most_held
from regrow.data.mix import classify, features, labelled, linear
from regrow.data.mix.features import Hasher
from regrow.data.mix.labelled import Labelled
from regrow.data.mix.seeds import Prefixes, split
from regrow.data.tables import stream
from regrow.params.data import Classify

PARAMS = Classify(
    buckets=512, epochs=2, max_words=100, topics={"a": ["h/a/"], "b": ["h/b/"], "c": ["h/c/"]},
    quality_positive=["h/a/1", "h/b/1"], quality_negative=["h/a/2", "h/c/"],
)  # fmt: skip
SCHEMA = {"id": pl.String, "url": pl.String, "text": pl.String}


def rows(count: int, length: int = 60) -> list[tuple[str, str, str]]:
    """Pages of four folders, each with words of its own, sorted by id."""
    rng = random.Random(3)
    made = []
    for n in range(count):
        folder = "abcd"[n % 4]
        words = [f"{folder}{rng.randrange(40)}" for _ in range(rng.randrange(5, length))]
        text = " ".join([*words, f"only{n}"])
        made.append((f"{n:05d}", f"http://h/{folder}/{rng.randrange(10)}/{n}", text))
    return made


def prepared(folder: Path, given_rows: list[tuple[str, str, str]]) -> Path:
    (folder / "in").mkdir(parents=True)
    pl.DataFrame(given_rows, SCHEMA, orient="row").write_parquet(folder / "in/train.parquet")
    return folder


def run(folder: Path, given_rows: list[tuple[str, str, str]]) -> dict:
    return step(prepared(folder, given_rows))


def step(folder: Path) -> dict:
    inputs = {"decontaminate": folder / "in"}
    return classify.run(inputs, SimpleNamespace(classify=PARAMS), folder / "out")


@pytest.mark.parametrize("small", [False, True], ids=["one piece", "many pieces"])
def test_passes_do_what_one_pass_would(tmp_path, monkeypatch, small):
    if small:
        monkeypatch.setattr(stream, "SMALL", 10_000)
        monkeypatch.setattr(stream, "GROUP_ROWS", 9)
        monkeypatch.setattr(stream, "BATCH", 2_000)
        monkeypatch.setattr(features, "REMEMBERED", 20)
    made = rows(150)
    counts = run(tmp_path, made)
    ids, urls, texts = zip(*made, strict=True)
    bags = [Hasher(PARAMS.buckets, PARAMS.max_words).bag(text) for text in texts]
    found = {}
    for name, classes, prefixes in (
        ("topic", ("a", "b", "c"), PARAMS.topics),
        (
            "quality", ("negative", "positive"),
            {"positive": PARAMS.quality_positive, "negative": PARAMS.quality_negative},
        ),
    ):  # fmt: skip
        labels = [Prefixes(prefixes, name).label(url) for url in urls]
        parts = split(list(ids), labels, PARAMS.test_share, PARAMS.seed)
        model = linear.train(
            [bags[i] for i in parts.train], [classes.index(labels[i]) for i in parts.train],
            classes, buckets=PARAMS.buckets, epochs=PARAMS.epochs,
            learning_rate=PARAMS.learning_rate, key=f"classify {name} {PARAMS.seed}",
        )  # fmt: skip
        saved = linear.load(tmp_path / f"out/{name}.safetensors")
        assert (saved.weight == model.weight).all() and (saved.bias == model.bias).all()
        found[name] = [model.probabilities(bag).tolist() for bag in bags]
        assert counts["labelled"][name] == sum(label is not None for label in labels)
    scores = pl.read_parquet(tmp_path / "out/scores.parquet")
    assert scores["id"].to_list() == list(ids)
    assert scores["topic_score"].to_list() == [max(row) for row in found["topic"]]
    assert scores["topic"].to_list() == ["abc"[row.index(max(row))] for row in found["topic"]]
    assert scores["quality"].to_list() == [row[1] for row in found["quality"]]
    assert sum(counts["topics"].values()) == counts["kept"] == counts["in"] == 150


def test_the_order_of_rows_decides_nothing(tmp_path):
    made = rows(80)
    twice = [*made, (made[7][0], made[7][1], "same id and address, another text"), made[8]]
    for seed in range(2):
        run(tmp_path / str(seed), random.Random(seed).sample(twice, len(twice)))
    run(tmp_path / "sorted", made)
    run(tmp_path / "shuffled", random.Random(5).sample(made, len(made)))
    assert hashes(tmp_path / "0/out") == hashes(tmp_path / "1/out")
    assert hashes(tmp_path / "sorted/out") == hashes(tmp_path / "shuffled/out")


SIZES = st.lists(st.tuples(st.sampled_from("abx"), st.integers(0, 400)), max_size=40)


@given(SIZES, st.randoms(use_true_random=False))
def test_examples_are_the_first_by_hash_that_fit(sizes, rng):
    def taken(order) -> set[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(labelled, "MOST", 4_000)
            found = Labelled("topic", ("a", "b"), Prefixes({"a": ["h/a"], "b": ["h/b"]}, "s"))
            for place, n in enumerate(order):
                found.see(place, f"id{n}", f"http://h/{sizes[n][0]}", sizes[n][1])
        examples = found.examples()
        assert [e.place for e in examples] == sorted(e.place for e in examples)
        assert found.counts == {c: k for c in "ab" if (k := [s[0] for s in sizes].count(c))}
        assert all(sizes[order[e.place]][0] == e.label for e in examples)
        return {e.id for e in examples}

    numbers = list(range(len(sizes)))
    chosen = taken(numbers)
    assert chosen == taken(rng.sample(numbers, len(numbers)))
    for label in "ab":
        size = [200 + sizes[n][1] for n in numbers if sizes[n][0] == label and f"id{n}" in chosen]
        every = sum(200 + own for name, own in sizes if name == label)
        assert sum(size) >= min(every, 2_000)
        assert not size or sum(size) - max(size) < 2_000


def test_of_many_labelled_pages_some_are_learned_from_and_all_are_counted(tmp_path, monkeypatch):
    free = run(tmp_path / "free", rows(300))
    monkeypatch.setattr(labelled, "MOST", 12_000)
    few = run(tmp_path / "few", rows(300))
    assert few["labelled"] == free["labelled"] and few["kept"] == 300
    models = [hashes(tmp_path / f"{name}/out")["topic.safetensors"] for name in ("free", "few")]
    assert models[0] != models[1]
    metrics = pl.read_json(tmp_path / "few/out/metrics.json")["topic"].to_list()[0]
    assert 6 < metrics["classes"]["a"]["train_documents"] < 25
    assert metrics["accuracy"] > 0.9


def test_what_is_held_does_not_grow_with_the_table(tmp_path, monkeypatch):
    limits = {"SMALL": 40_000, "GROUP_SIZE": 20_000, "GROUP_ROWS": 64, "BATCH": 20_000}
    for name, value in limits.items():
        monkeypatch.setattr(stream, name, value)
    monkeypatch.setattr(labelled, "MOST", 24_000)
    monkeypatch.setattr(features, "REMEMBERED", 500)
    held = []
    for count in (250, 2_000):
        folder = prepared(tmp_path / str(count), rows(count, 90))
        step(folder)  # libraries load once, and not while it is counted
        held.append(most_held(lambda folder=folder: step(folder), monkeypatch))
    assert held[1].batches > 5 * held[0].batches
    assert held[1].batch_bytes < 4 * limits["BATCH"]
    assert held[1].bytes < 1.3 * held[0].bytes
