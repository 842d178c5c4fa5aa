"""Passes over tables in order: what is read, what is held, and what is found missing."""

from __future__ import annotations

import random
import re
from itertools import chain
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.data.tables import passes, stream
from regrow.data.tables.conservation import Lost, conserved

SCHEMA = {"id": pl.String, "url": pl.String, "text": pl.String}
IDS = st.lists(st.sampled_from("abcde"), max_size=7)


def table(path: Path, rows: list[tuple[str, str | None, str | None]]) -> Path:
    pl.DataFrame(rows, SCHEMA, orient="row").write_parquet(path)
    return path


def ordered(path: Path) -> Path:
    return passes.ordered(path, SCHEMA, ("id", "url"), path.parent / "scratch")


@given(IDS, IDS, IDS)
def test_conserved_in_order_says_what_conserved_says(came, kept, dropped):
    def said(check, *ids):
        try:
            check("step", "documents", *ids)
        except Lost as lost:
            return str(lost)
        return None

    expected = said(conserved, came, kept, dropped)
    found = said(passes.conserved, *map(sorted, (came, kept, dropped)))
    assert (found is None) is (expected is None)
    if found and expected:
        assert re.findall(r"[0-9]+ ", found) == re.findall(r"[0-9]+ ", expected)


def test_the_difference_is_named_with_some_of_its_ids():
    with pytest.raises(Lost) as lost:
        passes.conserved("mix", "documents", "aabcdefg", "b", ["x"])
    assert str(lost.value).startswith(
        "mix: 8 documents in, 1 kept and 1 dropped: 7 without a trace (a, a, c, d, e), "
        "1 too many (x); the step"
    )


def test_a_sorted_table_is_read_as_it_is(tmp_path):
    path = table(tmp_path / "t.parquet", [("a", None, "1"), ("a", "u", "2"), ("b", "", None)])
    assert ordered(path) == path


@pytest.mark.parametrize(
    "rows",
    [
        [("b", "u", "1"), ("a", "u", "2")],
        [("a", "v", "1"), ("a", "u", "2")],
        [("a", "u", "2"), ("a", "u", "1")],
        [("a", "", "2"), ("a", None, "1")],
    ],
    ids=["ids", "addresses", "nothing but the text", "null and empty"],
)
def test_any_other_table_is_sorted(tmp_path, rows):
    copies = []
    for number, given_rows in enumerate((rows, rows[::-1])):
        path = table(tmp_path / f"{number}.parquet", given_rows)
        path = passes.ordered(path, SCHEMA, ("id", "url"), tmp_path / str(number))
        copies.append(pl.read_parquet(path).rows())
    assert copies[0] == copies[1]
    assert sorted(copies[0], key=str) == sorted(rows, key=str)
    assert [row[0] for row in copies[0]] == sorted(row[0] for row in rows)


def test_many_runs_and_rounds_of_merging_sort_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "SMALL", 2_000)
    monkeypatch.setattr(stream, "GROUP_ROWS", 7)
    monkeypatch.setattr(stream, "FAN_IN", 3)
    runs = stream.sorted_runs.__defaults__
    monkeypatch.setattr(stream.sorted_runs, "__defaults__", (2_000,))
    assert runs == (32 << 20,)
    rows = [(f"{n:04d}", f"u{n}", "x" * (n % 40)) for n in range(120)]
    shuffled = random.Random(1).sample(rows, len(rows))
    made = ordered(table(tmp_path / "t.parquet", shuffled))
    assert pl.read_parquet(made).rows() == rows
    assert not list((tmp_path / "scratch").glob("run-*"))


def test_heads_measure_what_they_do_not_read(tmp_path):
    path = table(tmp_path / "t.parquet", [("a", "u", "näh"), ("b", None, None), ("c", "", "")])
    assert list(passes.heads(path, ["url"], "text")) == [
        ({"url": "u"}, 3), ({"url": None}, 0), ({"url": ""}, 0),
    ]  # fmt: skip


def test_picked_rows_come_with_their_places(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BATCH", 200)
    rows = [(f"{n:03d}", f"u{n}", "x" * 50) for n in range(100)]
    path = table(tmp_path / "t.parquet", rows)
    asked: list[int] = []

    def wanted(place, row):
        asked.append(place)
        return row["url"] in ("u3", "u98")

    found = list(passes.picked(path, ["url"], wanted, ["id"]))
    assert found == [(3, {"id": "003"}), (98, {"id": "098"})]
    assert asked == list(range(100))
    every = passes.picked(path, [], lambda place, _: place == 7, ["id", "text"])
    assert list(every) == [(7, {"id": "007", "text": "x" * 50})]


@pytest.mark.parametrize("size", [10, 5_000])
def test_batches_are_small_whatever_the_row_group_is(tmp_path, monkeypatch, size):
    monkeypatch.setattr(stream, "BATCH", 20_000)
    rows = [(f"{n:04d}", "u", f"{n}" + "x" * size) for n in range(300)]
    path = table(tmp_path / "t.parquet", rows)
    found = list(stream.batches(path))
    assert max(batch.nbytes for batch in found) < 60_000
    assert len(found) > size // 100
    assert [tuple(row.values()) for row in chain(*(b.to_pylist() for b in found))] == rows


def test_what_a_table_lacks_is_named(tmp_path):
    path = table(tmp_path / "t.parquet", [])
    with pytest.raises(ValueError, match=r"t\.parquet: no column \['source'\]; rerun the dedup"):
        passes.schema(path, ("id", "source"), "dedup")
    pl.DataFrame({"id": ["a"], "when": [[1]]}).write_parquet(path)
    with pytest.raises(ValueError, match=r"t\.parquet: a column of type .*list.*: *cast|list"):
        passes.schema(path, ("id",), "dedup")
