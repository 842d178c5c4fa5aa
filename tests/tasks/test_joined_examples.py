"""Conversations that are joined: shares hold by examples, ids stay unique, each example is accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.learn.tasks import joined
from regrow.learn.tasks.sft_data import SCHEMA

CODE = """
import json, sys
from pathlib import Path
from regrow.learn.tasks import joined
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
joined.run(inputs, None, Path(sys.argv[1]), shares={"mine": 0.25, "theirs": 0.75}, max_repeats=2)
"""
SHARES = {"theirs": 0.75, "mine": 0.25}


def write(folder: Path, name: str, think: int, instruct: int) -> Path:
    for branch, count in (("think", think), ("instruct", instruct)):
        rows = [
            {
                "id": f"{name}{n:03d}",
                "kind": "task" if name == "t" else "own",
                "task": f"task {name}{n}",
                "family": name,
                "teacher": name,
                "seed": 0,
                "licence": "CC0-1.0",
                "messages": "[]",
                "tokens": [n, n + 1],
                "mask": [False, True],
            }
            for n in range(count)
        ]
        tables.write(pl.DataFrame(rows, schema=SCHEMA), folder / f"{branch}.parquet")
    return folder


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    return {
        "theirs": write(tmp_path / "t", "t", 60, 40),
        "mine": write(tmp_path / "m", "m", 10, 10),
    }


def run(inputs: dict[str, Path], output: Path, **more: Any) -> dict[str, Any]:
    return joined.run(inputs, None, output, shares=SHARES, **more)


def test_shares_of_both_branches(inputs: dict[str, Path], tmp_path: Path) -> None:
    counts = run(inputs, tmp_path / "out")
    for branch, theirs, in_ in (("think", 30, 60), ("instruct", 30, 40)):
        rows = tables.read(tmp_path / f"out/{branch}.parquet")
        assert rows.schema == pl.Schema(SCHEMA) and rows["id"].to_list() == sorted(rows["id"])
        assert counts[branch]["kinds"] == {"own": 10, "task": theirs}
        assert counts[branch]["examples"] == 40 and counts[branch]["tokens"] == 80
        about = counts[branch]["joined"]
        assert about["theirs"] == {
            "in": in_,
            "kept": 30,
            "left_over": in_ - 30,
            "joined": 30,
            "repeats": 1,
        }
    origins = tables.read(tmp_path / "out/joined.parquet")
    assert origins.height == 60 + 40 + 20 and origins["id"].null_count() == 30 + 10


def test_examples_that_come_again_have_ids_of_their_own(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    counts = run(inputs, tmp_path / "out", max_repeats=2)
    assert counts["think"]["joined"]["mine"]["joined"] == 20
    rows = tables.read(tmp_path / "out/think.parquet")
    assert rows.height == 80 == rows["id"].n_unique()
    assert (
        rows.filter(pl.col("family") == "m")["task"].value_counts()["count"].to_list() == [2] * 10
    )
    same = {"theirs": inputs["theirs"], "mine": inputs["theirs"]}
    run(same, tmp_path / "same", examples=40)
    rows = tables.read(tmp_path / "same/think.parquet")
    assert rows.height == 40 == rows["id"].n_unique()


def test_a_number_that_is_asked_for(inputs: dict[str, Path], tmp_path: Path) -> None:
    assert run(inputs, tmp_path / "few", examples=8)["think"]["kinds"] == {"own": 2, "task": 6}
    assert run(inputs, tmp_path / "many", examples=800)["think"]["lacking"] == 760
    with pytest.raises(ValueError, match=r"think: mine has 10 rows and a share of 0\.25"):
        run(inputs, tmp_path / "none", examples=1)


def test_same_bytes_in_other_circumstances(inputs: dict[str, Path], tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    assert set(run_twice(CODE, tmp_path, paths)) == {
        "think.parquet",
        "instruct.parquet",
        "joined.parquet",
    }
