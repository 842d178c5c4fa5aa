"""The choice of held-out documents."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_inputs
from regrow.data.tables import parquet
from regrow.learn.evaluate.documents import choose, cut
from regrow.learn.evaluate.harness import task_names
from regrow.params.evaluate import Evaluate


@given(st.text(max_size=80), st.integers(1, 60))
def test_cut_keeps_whole_characters_and_the_limit(text, limit):
    found = cut(text, limit)
    assert text.startswith(found)
    size = len(found.encode())
    assert size <= limit
    if found != text:
        assert size + len(text[len(found)].encode()) > limit


def test_cut_replaces_lone_surrogates():
    assert cut("a\ud800b", 10) == "a?b"


def test_choice(tmp_path):
    folder = tiny_inputs.heldout(tmp_path)
    found = choose(folder / "heldout.parquet", Evaluate(max_documents=3, max_bytes=500))
    assert [d.domain for d in found] == ["a.example"] * 3 + ["b.example"] * 3 + [
        "c.example",
        "unknown",
    ]
    assert all(d.size <= 500 and d.text.strip() for d in found)
    other = choose(folder / "heldout.parquet", Evaluate(max_documents=3, max_bytes=500, seed=9))
    assert {d.id for d in found} != {d.id for d in other}
    more = choose(folder / "heldout.parquet", Evaluate(max_documents=4, max_bytes=500))
    assert {d.id for d in found} <= {d.id for d in more}


def test_choice_does_not_depend_on_the_order_of_rows_nor_on_repeats(tmp_path):
    table = tiny_inputs.documents()
    parquet.write(pl.concat([table.reverse(), table.head(5)]), tmp_path / "heldout.parquet")
    found = choose(tmp_path / "heldout.parquet", Evaluate())
    folder = tiny_inputs.heldout(tmp_path / "plain")
    assert found == choose(folder / "heldout.parquet", Evaluate())


def test_nothing_to_score_is_an_error_that_names_the_mend(tmp_path):
    parquet.write(tiny_inputs.documents().filter(pl.col("text") == " \n"), tmp_path / "h.parquet")
    with pytest.raises(ValueError, match=r"h\.parquet: no held-out document.*heldout_share"):
        choose(tmp_path / "h.parquet", Evaluate())


def test_task_names_are_unique_and_plain():
    names = task_names(["A.b", "a-b", "ä", "", "日本"])
    assert len(set(names.values())) == 5
    assert all(
        name.replace("_", "").isascii() and name.replace("_", "").isalnum()
        for name in names.values()
    )
