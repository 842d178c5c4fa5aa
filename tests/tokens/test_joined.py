"""Packs that are joined: shares hold by tokens, every sequence is accounted for, the index says whose tokens are where."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pack_files
from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.data.tokens import joined
from regrow.data.tokens.reader import Packed
from regrow.data.tokens.shares import chosen, sizes

LENGTH = 8
CODE = """
import json, sys
from pathlib import Path
from regrow.data.tokens import joined
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
joined.run(inputs, None, Path(sys.argv[1]), shares={"b": 0.3, "a": 0.7}, max_repeats=3)
"""


def write(
    folder: Path, name: str, sequences: int, *, short: int = 0, documents: int = 5, **meta: Any
) -> Path:
    """A pack whose documents have 5 tokens each, all with one value of their own."""
    length = sequences * LENGTH
    starts = list(range(0, length, documents))
    tokens = np.repeat(np.arange(10, 10 + len(starts), dtype="<u2"), documents)[:length]
    ids = [f"{name}{n}" for n in range(len(starts))]
    rows = [(id, 0, at, min(at + documents, length)) for id, at in zip(ids, starts, strict=True)]
    said = {"vocabulary": 99} | meta
    pack_files.write_pack(folder, tokens, LENGTH, rows, **said)
    if short:
        pack_files.write_pack(folder / "short", tokens, short, rows, **said)
    about = {
        "id": ids,
        "component": [name] * len(ids),
        "parent": [f"parent of {i}" for i in ids],
        "text": ids,
    }
    tables.write(pl.DataFrame(about), folder / "documents.parquet")
    return folder


@pytest.fixture
def packs(tmp_path: Path) -> dict[str, Path]:
    return {"a": write(tmp_path / "a", "a", 30), "b": write(tmp_path / "b", "b", 10)}


def run(packs: dict[str, Path], output: Path, **shares: Any) -> dict[str, Any]:
    return joined.run(packs, None, output, shares={"a": 0.7, "b": 0.3}, **shares)


def check(packs: dict[str, Path], output: Path) -> pl.DataFrame:
    """That joined.parquet says where every sequence is from, and the index whose tokens it holds; the former."""
    table, pack = tables.read(output / "joined.parquet"), Packed(output)
    sources = {name: Packed(path) for name, path in packs.items()}
    there = table.drop_nulls("sequence")
    assert there["sequence"].to_list() == list(range(pack.sequences))
    for row in there.iter_rows(named=True):
        source = sources[row["source"]]
        assert (pack.take(row["sequence"]) == source.take(row["number"])).all()
        mine = pack.documents_of_sequence(row["sequence"])
        theirs = source.documents_of_sequence(row["number"])
        assert [(p.id, p.start, p.end) for p in mine] == [(p.id, p.start, p.end) for p in theirs]
    for name, source in sources.items():
        seen = set(table.filter(pl.col("source") == name)["number"])
        assert seen == set(range(source.sequences)), "every sequence has a row"
    ids = {piece.id for i in range(pack.sequences) for piece in pack.documents_of_sequence(i)}
    assert tables.read(output / "documents.parquet")["id"].to_list() == sorted(ids)
    return table


def test_the_largest_size_without_a_repeat(packs: dict[str, Path], tmp_path: Path) -> None:
    counts = run(packs, tmp_path / "out")
    # 10 / 0.3 = 33.3: 33 sequences, of which 23.1 and 9.9 are rounded to 23 and 10.
    assert {n: row["joined"] for n, row in counts["joined"].items()} == {"a": 23, "b": 10}
    assert counts["sequences"] == 33 and counts["tokens"] == 33 * LENGTH
    assert counts["sequences_in"] == 40 == counts["sequences_kept"] + counts["sequences_left_over"]
    table = check(packs, tmp_path / "out")
    assert table["sequence"].null_count() == 7 == counts["sequences_left_over"]
    meta = json.loads((tmp_path / "out/meta.json").read_text())
    assert (meta["sequences"], meta["eos"], meta["pad"], meta["vocabulary"]) == (33, 1, 0, 99)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "documents.parquet", "index.parquet", "joined.parquet", "meta.json", "tokens.bin",
    ]  # fmt: skip


def test_repeats_are_bounded_and_counted(packs: dict[str, Path], tmp_path: Path) -> None:
    counts = run(packs, tmp_path / "out", max_repeats=3)
    # Not 3 x 10 / 0.3 = 100: `a` lasts for 30 / 0.7 = 42.
    assert {n: (r["joined"], r["repeats"]) for n, r in counts["joined"].items()} == {
        "a": (29, 1),
        "b": (13, 2),
    }
    table = check(packs, tmp_path / "out")
    times = Counter(table.filter(pl.col("source") == "b")["number"].to_list())
    assert sorted(times.values()) == [1] * 7 + [2] * 3
    counts = run(packs, tmp_path / "more", max_repeats=2, tokens=10_000)
    assert {n: r["joined"] for n, r in counts["joined"].items()} == {"a": 46, "b": 20}
    assert counts["lacking"] == (1_250 - 66) * LENGTH
    check(packs, tmp_path / "more")


def test_a_size_that_is_asked_for(packs: dict[str, Path], tmp_path: Path) -> None:
    counts = run(packs, tmp_path / "out", tokens=10 * LENGTH + 3)
    assert {n: r["joined"] for n, r in counts["joined"].items()} == {"a": 7, "b": 3}
    assert counts["lacking"] == 0
    check(packs, tmp_path / "out")
    larger = run(packs, tmp_path / "larger", tokens=20 * LENGTH)
    few, more = (
        tables.read(tmp_path / n / "joined.parquet").drop_nulls() for n in ("out", "larger")
    )
    assert larger["sequences"] == 20
    assert set(few.select("source", "number").rows()) <= set(more.select("source", "number").rows())


def test_a_pack_for_a_longer_context_is_cut_short_as_well(tmp_path: Path) -> None:
    packs = {n: write(tmp_path / n, n, 10, short=4) for n in "ab"}
    run(packs, tmp_path / "out")
    short, whole = Packed(tmp_path / "out/short"), Packed(tmp_path / "out")
    assert (short.sequences, short.sequence_length) == (2 * whole.sequences, 4)
    assert short.take(3).tolist() == whole.take(1)[4:].tolist()


def test_what_stages_are_measured_by_is_that_of_all(tmp_path: Path) -> None:
    packs = {n: write(tmp_path / n, n, 10) for n in "ab"}
    for part, name in (("a", "documents"), ("b", "documents"), ("b", "own")):
        write(packs[part] / "heldout" / name, f"{part} {name} ", 2)
    run(packs, tmp_path / "out")
    heldout = tmp_path / "out/heldout"
    assert sorted(p.name for p in heldout.iterdir()) == ["documents", "own"]
    assert tables.read(heldout / "documents/index.parquet")["id"][0] == "a documents 0"


@pytest.mark.parametrize(
    ("meta", "words"),
    [({"sequence_length": 4}, "their sequence_length are 8 and 4"), ({"vocabulary": 7}, "their vocabulary are 99 and 7")],
)  # fmt: skip
def test_packs_that_no_model_reads_as_one_are_refused(
    tmp_path: Path, meta: dict[str, int], words: str
) -> None:
    packs = {"a": write(tmp_path / "a", "a", 30), "b": write(tmp_path / "b", "b", 10, **meta)}
    with pytest.raises(ValueError, match=words):
        run(packs, tmp_path / "out")


def test_a_share_of_less_than_a_sequence_is_refused(packs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"b has 10 rows and a share of 0\.3: of the 1 rows"):
        run(packs, tmp_path / "out", tokens=LENGTH)
    with pytest.raises(ValueError, match=r"tokens \(3\) must be one sequence \(8\) at least"):
        run(packs, tmp_path / "short", tokens=3)


def test_same_bytes_in_other_circumstances(packs: dict[str, Path], tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in packs.items()})
    assert len(run_twice(CODE, tmp_path, paths)) == 5


@st.composite
def _wishes(draw: st.DrawFn) -> tuple[dict[str, int], dict[str, float], int, int]:
    weights = draw(st.lists(st.integers(1, 30), min_size=2, max_size=5))
    names = "abcde"[: len(weights)]
    shares = dict(zip(names, (round(w / sum(weights), 4) for w in weights), strict=True))
    available = {name: draw(st.integers(1, 400)) for name in names}
    return available, shares, draw(st.integers(0, 900)), draw(st.integers(1, 5))


@given(_wishes())
def test_shares_hold_whatever_there_is(
    wish: tuple[dict[str, int], dict[str, float], int, int],
) -> None:
    available, shares, most, repeats = wish
    try:
        found = sizes(available, shares, most=most, max_repeats=repeats)
    except ValueError as error:
        assert "it would give none" in str(error)
        return
    whole, sum_of = sum(found.values()), sum(Fraction(str(s)) for s in shares.values())
    assert 0 < whole <= (most or whole)
    for name, rows in found.items():
        exact = whole * Fraction(str(shares[name])) / sum_of
        assert abs(rows - exact) < 1 and 0 < rows <= available[name] * repeats
        times = chosen(available[name], rows, f"test {name}")
        every = Counter(n for each in times for n in each.tolist())
        assert every.total() == rows and max(every.values()) <= repeats
        assert max(every.values()) - min(every.get(n, 0) for n in range(available[name])) <= 1
    if not most:
        alone = any(rows <= available[name] for name, rows in found.items())
        assert alone, "the one that lasts longest gives none twice"
    # One row more would ask too much of somebody, or is not wanted.
    larger = (whole + 1) / sum_of
    assert (
        whole == most
        or any(larger * Fraction(str(shares[n])) > available[n] * repeats for n in found)
        or (not most and all(larger * Fraction(str(shares[n])) > available[n] for n in found))
    )
