"""Many questions at once against the same ones one by one, and against a plain scan."""

from __future__ import annotations

import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.data.tables import parquet as tables
from regrow.evidence.lookup import grow, keys, rows
from regrow.evidence.lookup.ask import Lookup
from regrow.evidence.lookup.tree import BLOCK, FULL, HEAD, BTree

few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
hexes = st.text("0123456789abcdef", min_size=1, max_size=20)
words = st.text("abz é/:", max_size=6)
SCHEMA = {"id": pl.String, "url": pl.String, "step": pl.Int64, "start": pl.Int64}


@few
@given(
    st.sampled_from([hexes, words]).flatmap(lambda ids: st.lists(ids, max_size=40)),
    st.lists(hexes | words, max_size=8),
    st.integers(1, 3),
)
def test_a_batch_gives_what_single_questions_give(
    ids: list[str], more: list[str], times: int
) -> None:
    """Missing values, values asked twice, several rows of a value, tables without rows or column."""
    table = [
        {"id": id, "url": f"https://{id[:2]}/", "step": n % 3, "start": n}
        for n, id in enumerate(ids * times)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        tables.write(pl.DataFrame(table, schema=SCHEMA), path)
        lookup, alone = Lookup(Path(folder)), Lookup(Path(folder))
        asked = [*more, *ids, *ids]
        for column, values in (("id", asked), ("url", [f"https://{v[:2]}/" for v in asked])):
            found = lookup.equals(path, column, values)
            assert found == {v: [r for r in table if r[column] == v] for v in values}
            assert found == {v: alone.equal(path, column, v) for v in values}
        steps = lookup.equals(path, "step", [0, 2, 7])
        assert steps == {n: [row for row in table if row["step"] == n] for n in (0, 2, 7)}
        assert lookup.equals(path, "no such column", asked) == {v: [] for v in asked}
        assert lookup.equals(path, "id", []) == {} == lookup.rows(path, [])
        numbers = range(0, len(table), 3)
        assert lookup.rows(path, [*numbers, *numbers]) == {n: table[n] for n in numbers}
        with pytest.raises(IndexError):
            lookup.rows(path, [len(table)])


@few
@given(
    st.lists(st.integers(0, 60), max_size=60).map(sorted),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 30)), max_size=6),
)
def test_rows_within_spans_are_those_of_a_scan(
    starts: list[int], asked: list[tuple[int, int]]
) -> None:
    """Equal starts (documents without tokens), spans without a row, spans that overlap or repeat."""
    table = [{"id": "0", "url": "", "step": n, "start": start} for n, start in enumerate(starts)]
    spans = [(low, low + size) for low, size in asked]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        tables.write(pl.DataFrame(table, schema=SCHEMA), path)
        found = Lookup(Path(folder)).within(path, "start", spans)
    for (low, high), got in zip(spans, found, strict=True):
        first = max((n for n, start in enumerate(starts) if start <= low), default=0)
        assert got == [row for row in table[first:] if row["start"] < high]


def test_a_batch_in_a_tree_of_three_levels(tmp_path: Path) -> None:
    """Keys in many leaves, keys at the ends of leaves, a key that fills more than one; below and above all."""
    count = FULL * FULL + 5
    held = np.arange(count, dtype=np.uint64) * np.uint64(3)
    held[7000:9500] = held[7000]
    grow.grow(tmp_path / "t", "number", [(held, np.arange(count, dtype=np.uint64))])
    tree = BTree(tmp_path / "t")
    drawn = [random.Random(0).randrange(3 * count + 9) for _ in range(600)]
    ends = [
        3 * place + more for leaf in range(4) for place in (leaf * FULL,) for more in (-3, 0, 1)
    ]
    wanted = [*drawn, *ends, int(held[7000]), 3 * 9499, keys.HIGHEST, -1]
    for key, found in tree.finds(wanted).items():
        assert found == np.flatnonzero(held == key).tolist() if key >= 0 else found == []
    for key, floor in tree.floors(key for key in wanted if key >= 0).items():
        place = int(np.searchsorted(held, np.uint64(key), side="right")) - 1
        assert floor == (int(held[place]), place)


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    """A table whose lookups have many blocks: id (random), start (ascending)."""
    draw = random.Random(1)
    table = [
        {"id": f"{draw.getrandbits(128):032x}", "url": f"https://a.example/{n}", "step": n % 5, "start": 7 * n}
        for n in range(5000)
    ]  # fmt: skip
    tables.write(pl.DataFrame(table, schema=SCHEMA), tmp_path / "t.parquet")
    return tmp_path / "t.parquet", table


def _batches(lookup: Lookup, path: Path, table: list[dict[str, Any]]) -> list[Any]:
    return [
        lookup.equals(path, "id", [row["id"] for row in table[::7]] + ["0" * 32]),
        lookup.within(path, "start", [(n, n + 200) for n in range(3, 30_000, 1700)]),
        lookup.rows(path, range(0, 5000, 13)),
    ]


@pytest.mark.parametrize("which", ["id.tree", "start.tree", "rows", "all"])
def test_a_block_that_is_damaged_amid_a_batch_is_made_anew(
    large: tuple[Path, list[dict[str, Any]]], which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, table = large
    lookup = Lookup(path.parent)
    wanted = _batches(lookup, path, table)
    assert wanted[0] == {**{row["id"]: [row] for row in table[::7]}, "0" * 32: []}
    made = [p for p in lookup.store.folder.iterdir() if p.name.endswith(which) or which == "all"]
    contents = {p: p.read_bytes() for p in made if p.suffix in (".tree", ".rows")}
    assert len(contents) == (3 if which == "all" else 1)
    for file, content in contents.items():
        at = HEAD + 2 * BLOCK + 999 if file.suffix == ".tree" else len(content) // 3
        file.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
    capsys.readouterr()
    assert _batches(Lookup(path.parent), path, table) == wanted
    assert {file: file.read_bytes() for file in contents} == contents, "to the same bytes"
    assert capsys.readouterr().err.count("it is made again") == len(contents)


def test_the_system_is_told_of_every_block_of_a_batch_before_it_is_read(
    large: tuple[Path, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, table = large
    wanted = _batches(Lookup(path.parent), path, table)
    lookup = Lookup(path.parent)
    lookup.store.tree(path, "id"), lookup.store.tree(path, "start"), lookup.store.rows(path)
    told: set[tuple[int, int]] = set()
    missed: list[tuple[int, int, int]] = []
    read = os.pread

    def advise(file: int, at: int, size: int, what: int) -> None:
        assert what == os.POSIX_FADV_WILLNEED and size > 0
        told.update((file, byte) for byte in range(at, at + size))

    def pread(file: int, size: int, at: int) -> bytes:
        if not told.issuperset((file, byte) for byte in range(at, at + size)):
            missed.append((file, size, at))
        return read(file, size, at)

    monkeypatch.setattr(os, "posix_fadvise", advise, raising=False)
    monkeypatch.setattr(os, "pread", pread)
    assert _batches(lookup, path, table) == wanted
    assert len(missed) == 2 and all(size == BLOCK for _, size, _ in missed), "the root of each tree"


@pytest.mark.parametrize("how", ["none", "refused"])
def test_where_the_system_cannot_be_told_answers_are_the_same(
    large: tuple[Path, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path, table = large
    wanted = _batches(Lookup(path.parent), path, table)

    def refuse(*_: int) -> None:
        raise OSError("no advice here")

    if how == "none":  # macOS
        monkeypatch.delattr(os, "posix_fadvise", raising=False)
    else:
        monkeypatch.setattr(os, "posix_fadvise", refuse, raising=False)
    assert _batches(Lookup(path.parent), path, table) == wanted


def test_rows_of_a_batch_read_each_block_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = [{"n": n} for n in range(100)]
    rows.write(tmp_path / "r", table)
    found, read = rows.Rows(tmp_path / "r"), []
    whole = found._lines
    monkeypatch.setattr(found, "_lines", lambda b, s, e: (read.append(b), whole(b, s, e))[1])
    assert found.many([99, 3, 17, 4, 3, 18]) == {n: table[n] for n in (3, 4, 17, 18, 99)}
    assert read == [0, 1, 6]
