"""The index step on a pack, on examples and on pairs, and twice in separate processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import pack_files
from determinism import run_twice
from regrow.data.index import files
from regrow.data.index.rows import packed
from regrow.data.index.step import run
from regrow.data.tables import parquet

CODE = """
import sys
from pathlib import Path
from regrow.data.index.step import run
output, source, instance, kind = sys.argv[1:]
run({"data": Path(source)}, None, Path(output), instance=instance, kind=kind)
"""


def pack(folder: Path, rows: list[list[int]]) -> Path:
    return pack_files.write_pack(folder, rows, len(rows[0]))


def examples(folder: Path) -> Path:
    for branch, first in (("think", 10), ("instruct", 20)):
        rows = [
            {
                "id": f"{branch}-{n}",
                "tokens": [3, first + n, 4, first, 6],
                "mask": [False] * 3 + [True] * 2,
            }
            for n in (2, 0, 1)
        ]
        parquet.write(pl.DataFrame(rows), folder / f"{branch}.parquet")
    return folder


def pairs(folder: Path) -> Path:
    rows = [
        {"id": f"{n}", "prompt": [3, n, 4], "chosen": [8, 6], "rejected": [9, n, 6]}
        for n in (12, 11)
    ]
    parquet.write(pl.DataFrame(rows), folder / "pairs.parquet")
    return folder


def test_a_pack_is_indexed_row_by_row(tmp_path: Path):
    source = pack(tmp_path / "pack", [[5, 6, 7], [6, 7, 5]])
    counts = run(
        {"data": source}, None, tmp_path / "out", instance="midtrain_data", kind="midtrain_data"
    )
    assert counts == {"tokens": 6, "rows": 2, "shards": 1}
    index = files.read(tmp_path / "out")
    both = np.array([True, True])
    for span, places in (([6, 7], ([0, 1], [1, 0])), ([7, 6], ([], [])), ([5], ([0, 1], [0, 2]))):
        rows, offsets = index.places(np.array(span, dtype=np.uint16), both)
        assert (rows.tolist(), offsets.tolist()) == places
    assert not list((tmp_path / "out").glob("learned*"))


def test_examples_stand_by_branch_and_id_with_what_is_learned(tmp_path: Path):
    run(
        {"data": examples(tmp_path / "data")},
        None,
        tmp_path / "out",
        instance="sft_data",
        kind="sft_data",
    )
    index = files.read(tmp_path / "out")
    assert index.rows["id"].to_list() == [
        f"{b}-{n}" for b in ("think", "instruct") for n in range(3)
    ]
    rows, offsets = index.places(np.array([4, 20, 6], dtype=np.uint16), np.ones(6, dtype=bool))
    assert rows.tolist() == [3, 4, 5]
    assert index.learned(rows, offsets, 3).tolist() == [2, 2, 2]


def test_of_pairs_both_answers_are_rows_and_learned(tmp_path: Path):
    run(
        {"data": pairs(tmp_path / "data")},
        None,
        tmp_path / "out",
        instance="pairs_seed2",
        kind="pairs",
    )
    index = files.read(tmp_path / "out")
    told = index.rows.select("id", "part").rows()
    assert told == [("11", "chosen"), ("12", "chosen"), ("11", "rejected"), ("12", "rejected")]
    assert index.row(3).tolist() == [3, 12, 4, 9, 12, 6]
    rows, offsets = index.places(np.array([12], dtype=np.uint16), np.ones(4, dtype=bool))
    assert list(zip(rows.tolist(), offsets.tolist(), strict=True)) == [(1, 1), (3, 1), (3, 4)]
    assert index.learned(rows, offsets, 1).tolist() == [0, 0, 1]


@pytest.mark.parametrize("instance", ["forkmix-mine", "sft_data", "pairs"])
def test_two_runs_give_the_same_bytes(tmp_path: Path, instance: str):
    draws = np.random.default_rng(5).integers(0, 4, (200, 16)).tolist()
    made = {"sft_data": examples, "pairs": pairs}.get(instance)
    kind = instance if made else "midtrain_data"
    source = made(tmp_path / "data") if made else pack(tmp_path / "data", draws)
    names = set(run_twice(CODE, tmp_path, str(source), instance, kind))
    assert {
        "meta.json",
        "rows.parquet",
        "suffixes-000.bin",
        "tokens-000.bin",
        "unigrams.bin",
    } <= names


def test_a_pack_of_another_size_is_refused(tmp_path: Path):
    source = pack(tmp_path / "pack", [[5, 6, 7]])
    (source / "meta.json").write_text('{"sequences": 2, "sequence_length": 3}')
    with pytest.raises(ValueError, match=r"meta\.json says 2 sequences of 3"):
        list(packed(source))
