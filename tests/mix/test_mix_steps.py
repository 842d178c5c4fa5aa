from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import library_corpus as corpus
from determinism import run_twice
from regrow.data.mix import buckets, classify, step
from regrow.data.tables import parquet as tables
from regrow.params.data import Classify, Mix

CLASSIFY = Classify(
    topics=corpus.TOPICS,
    quality_positive=corpus.POSITIVE,
    quality_negative=corpus.NEGATIVE,
    epochs=4,
    max_words=2000,
)
MIX = Mix(tokens=150_000, bytes_per_token=3.0, topic_weights={"language": 0.4})


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("mix")
    corpus.write(root / "decontaminate", corpus.pages())
    inputs = {"decontaminate": root / "decontaminate", "classify": root / "classify"}
    classify.run(inputs, SimpleNamespace(classify=CLASSIFY), root / "classify")
    step.run(inputs, SimpleNamespace(mix=MIX), root / "mix")
    return root


def test_classifiers_beat_the_majority_on_unseen_documents(made: Path) -> None:
    metrics = json.loads((made / "classify/metrics.json").read_text())
    topic, quality = metrics["topic"], metrics["quality"]
    assert topic["test_documents"] >= 15
    assert topic["accuracy"] > topic["majority"] + 0.2
    assert quality["accuracy"] > quality["majority"] + 0.1 and quality["auc"] > 0.9
    assert all(c["test_documents"] > 0 for c in topic["classes"].values())


def test_every_document_has_scores(made: Path) -> None:
    scores = tables.read(made / "classify/scores.parquet")
    train = tables.read(made / "decontaminate/train.parquet")
    assert scores.columns == ["id", "topic", "topic_score", "quality"]
    assert scores["id"].to_list() == train["id"].to_list()
    assert set(scores["topic"]) <= set(corpus.TOPICS)
    assert scores["quality"].is_between(0, 1).all() and scores["topic_score"].is_between(0, 1).all()


def test_mix_gives_what_was_asked(made: Path) -> None:
    mix = tables.read(made / "mix/mix.parquet")
    curves = json.loads((made / "mix/curves.json").read_text())
    train = tables.read(made / "decontaminate/train.parquet", ["id", "text"])
    assert mix.columns == list(step.SCHEMA)
    assert mix["id"].to_list() == train["id"].to_list()
    assert curves["expected_tokens"] == pytest.approx(MIX.tokens, rel=1e-6)
    assert curves["topics"]["language"]["wanted_tokens"] == pytest.approx(0.4 * MIX.tokens)
    assert curves["fallbacks"] == 0
    sizes = train.select("id", pl.col("text").str.len_bytes().alias("bytes"))
    sizes = sizes.join(mix, on="id").select((pl.col("bytes") * pl.col("repeats")).sum())
    assert curves["realised_tokens"] == pytest.approx(sizes.item() / 3.0)
    assert curves["realised_tokens"] == pytest.approx(MIX.tokens, rel=0.35)
    for rows in mix.partition_by("topic"):
        rows = rows.sort("percentile")
        assert rows["quality"].is_sorted() and rows["bucket"].is_sorted()
        assert rows["rate"].is_sorted()


def test_drops_tell_why(made: Path) -> None:
    mix = tables.read(made / "mix/mix.parquet")
    drops = tables.read(made / "mix/drops.parquet")
    assert drops.columns == list(tables.DROPS)
    assert sorted(drops["id"]) == sorted(mix.filter(pl.col("repeats") == 0)["id"])
    assert set(drops["reason"]) == {"quality_cutoff", "rate_rounding"}
    cut = drops.filter(pl.col("reason") == "quality_cutoff")
    assert (cut["value"] < cut["threshold"]).all()


def _run_mix(made: Path, output: Path, **values) -> tuple[dict, dict, pl.DataFrame]:
    inputs = {"decontaminate": made / "decontaminate", "classify": made / "classify"}
    params = SimpleNamespace(mix=MIX.model_copy(update=values))
    counts = step.run(inputs, params, output)
    curves = json.loads((output / "curves.json").read_text())
    return counts, curves, tables.read(output / "mix.parquet")


def test_an_impossible_wish_falls_back_and_is_counted(made: Path, tmp_path: Path) -> None:
    _, curves, mix = _run_mix(made, tmp_path, topic_weights={"events": 1.0}, tokens=10_000_000)
    events = curves["topics"]["events"]
    assert events["fallback"] == "flat_at_ceiling" and curves["fallbacks"] == 1
    assert events["expected_tokens"] < events["wanted_tokens"]
    assert mix["rate"].max() == pytest.approx(MIX.max_repeats)
    unwanted = tables.read(tmp_path / "drops.parquet").filter(pl.col("reason") == "topic_unwanted")
    assert unwanted.height > 0


@given(st.integers(2_000, 900_000), st.floats(0, 0.9), st.floats(1, 9), st.integers(1, 40))
@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_params_keep_the_promises(
    made: Path, tmp_path: Path, tokens: int, cutoff: float, ceiling: float, buckets: int
) -> None:
    _, curves, mix = _run_mix(
        made, tmp_path, tokens=tokens, cutoff=cutoff, max_repeats=ceiling, buckets=buckets
    )
    for topic in curves["topics"].values():
        assert topic["buckets"][-1]["rate"] <= ceiling * (1 + 1e-9)
        if topic["fallback"] is None:
            assert topic["expected_tokens"] == pytest.approx(topic["wanted_tokens"], rel=1e-6)
        else:
            assert topic["expected_tokens"] < topic["wanted_tokens"]
    assert (mix["repeats"] <= mix["rate"].floor() + 1).all()
    assert (mix["repeats"] >= mix["rate"].floor()).all()


def test_no_documents(tmp_path: Path) -> None:
    corpus.write(tmp_path / "decontaminate", [])
    inputs = {"decontaminate": tmp_path / "decontaminate", "classify": tmp_path / "classify"}
    classify.run(inputs, SimpleNamespace(classify=CLASSIFY), tmp_path / "classify")
    counts = step.run(inputs, SimpleNamespace(mix=MIX), tmp_path / "mix")
    assert counts["in"] == counts["kept"] == 0
    assert tables.read(tmp_path / "mix/mix.parquet").schema == pl.Schema(step.SCHEMA)


def test_without_seeds_all_pages_count_alike(tmp_path: Path) -> None:
    corpus.write(tmp_path / "decontaminate", corpus.pages(3))
    inputs = {"decontaminate": tmp_path / "decontaminate"}
    classify.run(inputs, SimpleNamespace(classify=Classify()), tmp_path / "classify")
    scores = tables.read(tmp_path / "classify/scores.parquet")
    assert set(scores["topic"]) == {"all"} and set(scores["quality"]) == {0.5}


@pytest.mark.parametrize("cutoff", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("times", [1.0, 2.5, 90.0])
def test_without_labels_every_document_is_kept_alike_and_it_is_said(
    tmp_path: Path, capfd, cutoff: float, times: float
) -> None:
    """No order of quality, no cut-off: an id says nothing about a document."""
    corpus.write(tmp_path / "decontaminate", corpus.pages(3))
    inputs = {"decontaminate": tmp_path / "decontaminate", "classify": tmp_path / "classify"}
    classify.run(inputs, SimpleNamespace(classify=Classify(epochs=1)), tmp_path / "classify")
    sizes = tables.read(inputs["decontaminate"] / "train.parquet")["text"].str.len_bytes()
    tokens = int(times * sizes.sum()) + sizes.len()
    params = Mix(tokens=tokens, bytes_per_token=1.0, cutoff=cutoff, max_repeats=7.0)
    counts = step.run(inputs, SimpleNamespace(mix=params), tmp_path / "mix")
    mix = tables.read(tmp_path / "mix/mix.parquet")
    assert counts["kept"] == counts["in"] == mix.height > 10 and counts["dropped"] == {}
    assert mix["rate"].n_unique() == 1 and mix["rate"][0] == pytest.approx(
        min(times, 7.0), rel=0.01
    )
    assert mix["repeats"].max() - mix["repeats"].min() <= 1
    assert counts["unranked_topics"] == ["all"]
    said = capfd.readouterr().err
    assert "params name no pages" in said and "all: all documents score the same" in said


def test_documents_of_equal_quality_stay_together() -> None:
    ids, quality = [f"{i:02d}" for i in range(10)], [0.1] * 3 + [0.5] * 4 + [0.9] * 3
    percentiles, found = buckets.cut(ids, quality, [10] * 10, 20)
    assert percentiles == pytest.approx([0.15] * 3 + [0.5] * 4 + [0.85] * 3)
    assert [bucket.members for bucket in found] == [[0, 1, 2], [3, 4, 5, 6], [7, 8, 9]]
    assert [(b.start, b.end) for b in found] == [(0.0, 0.3), (0.3, 0.7), (0.7, 1.0)]


def test_errors_name_the_mend(tmp_path: Path, made: Path) -> None:
    wrong = CLASSIFY.model_copy(update={"quality_negative": ["nowhere.test/"]})
    inputs = {"decontaminate": made / "decontaminate"}
    with pytest.raises(ValueError, match=r"classify\.quality_negative: no training document"):
        classify.run(inputs, SimpleNamespace(classify=wrong), tmp_path)
    corpus.write(tmp_path / "other", [("https://x.test/new", "another page " * 40)])
    inputs = {"decontaminate": tmp_path / "other", "classify": made / "classify"}
    with pytest.raises(ValueError, match=r"scores\.parquet: 1 of 1 training documents have no"):
        step.run(inputs, SimpleNamespace(mix=MIX), tmp_path / "mix")


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.mix import buckets, classify, step
from regrow.params.data import Classify, Mix
output, inputs, c, m = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
params = SimpleNamespace(classify=Classify(**json.loads(c)), mix=Mix(**json.loads(m)))
folders = {"decontaminate": inputs, "classify": output / "classify"}
classify.run(folders, params, output / "classify")
step.run(folders, params, output / "mix")
"""


def test_same_bytes_in_other_circumstances(made: Path, tmp_path: Path) -> None:
    arguments = (CLASSIFY.model_dump_json(), MIX.model_dump_json())
    files = run_twice(CODE, tmp_path, str(made / "decontaminate"), *arguments)
    assert len(files) == 7
