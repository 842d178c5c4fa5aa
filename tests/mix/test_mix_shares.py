from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import library_corpus as corpus
from determinism import hashes, run_twice
from regrow.data.mix import shares, step
from regrow.data.tables import parquet as tables
from regrow.params.data import Mix

TOPIC = {"asyncio": "events", "email": "mail", "xml": "markup"}
SHARES = {"one/events": 0.5, "one/mail": 0.125, "two/mail": 0.25, "two/markup": 0.125}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Documents of two sources and three topics, with an order of quality."""
    root = tmp_path_factory.mktemp("shares")
    rows = [(url, text[:4_000]) for url, text in corpus.pages(40) if url.split("/")[3] in TOPIC]
    frame = corpus.frame(rows)
    half = pl.int_range(pl.len()) % 3 == 0
    topic = pl.col("domain").replace_strict(TOPIC)
    both = pl.when((topic == "events") | ((topic == "mail") & half)).then(pl.lit("one"))
    frame = frame.with_columns(source=both.otherwise(pl.lit("two")))
    tables.write(frame, root / "decontaminate/train.parquet")
    scores = frame.select(
        "id",
        topic=topic,
        topic_score=pl.lit(1.0),
        quality=(pl.int_range(pl.len()) * 37 % 101) / 101,
    )
    tables.write(scores, root / "classify/scores.parquet")
    return root


def _run(made: Path, output: Path, **values: object) -> tuple[dict, dict, pl.DataFrame]:
    inputs = {name: made / name for name in ("decontaminate", "classify")}
    params = SimpleNamespace(mix=Mix(tokens=60_000, **values))
    counts = step.run(inputs, params, output)
    curves = json.loads((output / "curves.json").read_text())
    return counts, curves, tables.read(output / "mix.parquet")


def test_the_mix_has_the_shares_of_source_and_topic(made: Path, tmp_path: Path) -> None:
    counts, _, mix = _run(made, tmp_path, shares=SHARES, shares_by="source/topic")
    train = tables.read(made / "decontaminate/train.parquet", ["id", "source", "text"])
    size = pl.col("text").str.len_bytes() * pl.col("repeats")
    rows = mix.join(train, on="id").with_columns(
        domain=pl.concat_str("source", "topic", separator="/")
    )
    found = dict(rows.group_by("domain").agg(size.sum()).iter_rows())
    whole = sum(found.values())
    for name, share in SHARES.items():
        assert found[name] / whole == pytest.approx(share, abs=0.005), name
        assert counts["shares"][name]["realised"] == pytest.approx(found[name] / whole)
    assert whole == pytest.approx(60_000 * 3, rel=0.02)
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values())
    assert (mix["repeats"] >= mix["rate"].floor()).all()
    assert (mix["repeats"] <= mix["rate"].floor() + 1).all()


@pytest.mark.parametrize("by", ["topic", "source"])
def test_shares_of_topics_or_of_sources_alone(made: Path, tmp_path: Path, by: str) -> None:
    given_ = {
        "topic": {"events": 0.2, "mail": 0.7, "markup": 0.1},
        "source": {"one": 0.3, "two": 0.7},
    }
    _, curves, _ = _run(made, tmp_path, shares=given_[by], shares_by=by)
    assert {n: one["wanted"] for n, one in curves["shares"].items()} == given_[by]
    for name, one in curves["shares"].items():
        assert one["realised"] == pytest.approx(one["wanted"], abs=0.005), name


def test_tokens_are_counted_by_what_was_measured_of_a_domain(made: Path, tmp_path: Path) -> None:
    given_ = {"events": 0.4, "mail": 0.4, "markup": 0.2}
    _, curves, _ = _run(made, tmp_path, shares=given_, domain_bytes_per_token={"mail": 1.5})
    events, mail = (curves["topics"][name] for name in ("events", "mail"))
    assert mail["wanted_tokens"] == pytest.approx(events["wanted_tokens"])
    assert mail["realised_tokens"] * 1.5 == pytest.approx(
        events["realised_tokens"] * 3 / 2, rel=0.02
    )


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"events": 0.5, "mail": 0.5}, "no share for markup"),
        ({"events": 0.5, "mail": 0.2, "markup": 0.2, "poems": 0.1}, "no document of poems"),
        (
            {"events": 0.001, "mail": 0.001, "markup": 0.998},
            r"mix\.shares\.markup: \d+ tokens are wanted",
        ),
    ],
)
def test_a_share_that_cannot_be_filled_is_named(
    made: Path, tmp_path: Path, given_: dict[str, float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        _run(made, tmp_path, shares=given_, max_repeats=1.0)


def test_a_share_of_nothing_leaves_the_domain_out(made: Path, tmp_path: Path) -> None:
    counts, _, mix = _run(
        made, tmp_path, shares={"events": 0.6, "mail": 0.4, "markup": 0, "none": 0}
    )
    assert mix.filter(pl.col("topic") == "markup")["repeats"].sum() == 0
    assert counts["dropped"]["topic_unwanted"] > 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"shares": {"a": 0.5, "b": 0.4}}, "sum to 1, they sum to 0.9"),
        ({"shares": {"a": 1}, "topic_weights": {"a": 0.5}}, "not both"),
        ({"adopted": "mixture " + "0" * 64}, "give these too"),
        ({"shares": {"a": 1}, "adopted": "somewhere"}, "adopted"),
    ],
)
def test_params_of_shares_that_cannot_be(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Mix(**values)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_draws_come_as_near_to_the_target_as_single_changes_can(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30))
    numbers = np.random.default_rng(data.draw(st.integers(0, 999)))
    sizes = numbers.integers(1, 500, count)
    rates, draws = numbers.uniform(0, 3, count), numbers.uniform(0, 1, count)
    target = float((sizes * rates).sum())
    times = shares.nearest(sizes, rates, draws, target)
    assert (np.floor(rates) <= times).all() and (times <= np.floor(rates) + 1).all()
    plain = (sizes * np.floor(rates + draws)).sum()
    off = target - (sizes * times).sum()
    assert abs(off) <= abs(target - plain) + 1e-9
    able = (rates > np.floor(rates)) & ((times == np.floor(rates)) == (off > 0))
    for size in sizes[able]:
        assert abs(abs(off) - size) >= abs(off) - 1e-6


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.mix import step
from regrow.params.data import Mix
made, values = Path(sys.argv[2]), json.loads(sys.argv[3])
inputs = {name: made / name for name in ("decontaminate", "classify")}
step.run(inputs, SimpleNamespace(mix=Mix(**values)), Path(sys.argv[1]))
"""


def test_shares_give_equal_bytes_in_other_processes(made: Path, tmp_path: Path) -> None:
    values = {"tokens": 60_000, "shares": SHARES, "shares_by": "source/topic"}
    _run(made, tmp_path / "here", shares=SHARES, shares_by="source/topic")
    found = run_twice(CODE, tmp_path, str(made), json.dumps(values))
    assert found == hashes(tmp_path / "here")
