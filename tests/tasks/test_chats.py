"""Conversations of one's own as a data set: alone or in their share beside others, and the same bytes anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import small_tasks
from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.learn.tasks import chats, sft_data

OPTIONS = {
    "name": "ours",
    "share": 0.2,
    "max_repeats": 2,
    "max_tokens": 120,
    "licence": "CC-BY-4.0",
}
CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.posttrain import SftData
from regrow.learn.tasks import chats
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
chats.run(inputs, SimpleNamespace(sft_data=SftData()), Path(sys.argv[1]), **json.loads(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    made = small_tasks.write(root)
    small_tasks.teacher(root, [])
    sft_data.run(made, SimpleNamespace(sft_data=small_tasks.SFTDATA), root / "sft_data")
    rows: list[dict[str, Any]] = [
        {
            "messages": [
                {"role": "user", "content": f"Where is thing {n}?"},
                {
                    "role": "assistant",
                    "content": f"It is in room {n}.",
                    "reasoning_content": "I look.",
                },
            ],
            "url": f"https://rooms.example/{n}",
        }
        for n in range(9)
    ]
    lines = [json.dumps(row) + "\n" for row in (*rows, rows[0])]
    (root / "ours.jsonl").write_text("".join(lines))
    names = ("tokenizer", "tasks", "evals")
    return {n: made[n] for n in names} | {"chats": root / "ours.jsonl", "beside": root / "sft_data"}


def run(inputs: dict[str, Path], output: Path, **options: Any) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    section = SimpleNamespace(sft_data=small_tasks.SFTDATA)
    return chats.run(inputs, section, output, **OPTIONS | options)


def test_alone_each_comes_once(inputs: dict[str, Path], tmp_path: Path) -> None:
    alone = {name: path for name, path in inputs.items() if name != "beside"}
    counts = run(alone, tmp_path)
    assert counts["think"]["kinds"] == counts["instruct"]["kinds"] == {"own": 9}
    assert (counts["in"], counts["kept"], counts["dropped"]) == (19, 18, {"duplicate": 1})
    assert set(tables.read(tmp_path / "think.parquet")["licence"]) == {"CC-BY-4.0"}


def test_beside_others_in_their_share(inputs: dict[str, Path], tmp_path: Path) -> None:
    counts = run(inputs, tmp_path)
    for branch, whole in (("think", 300), ("instruct", 200)):
        rows = tables.read(tmp_path / f"{branch}.parquet")
        assert rows.height == whole and rows["id"].n_unique() == whole
        assert counts[branch]["kinds"]["own"] == 18, "twice each: a fifth would be more"
    table = tables.read(tmp_path / "contributions.parquet")
    assert table.select(pl.col("think", "instruct").sum()).row(0) == (18, 18)


def test_beside_other_conversations(inputs: dict[str, Path], tmp_path: Path) -> None:
    """A fork's, or those of another data set: only the own ones are counted, and what both have comes once."""
    first = json.loads(inputs["chats"].read_text().splitlines()[0])
    other = {
        "messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}]
    }
    (tmp_path / "theirs.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in (first, other))
    )
    alone = {name: path for name, path in inputs.items() if name != "beside"}
    run(alone | {"chats": tmp_path / "theirs.jsonl"}, tmp_path / "theirs")
    beside = inputs | {"beside": tmp_path / "theirs"}
    for share, height in ((1.0, 2), (0.5, 2)):
        output = tmp_path / str(share)
        counts = run(beside, output, share=share)
        mine = int(2 * share)
        own = tables.read(output / "contributions.parquet")
        assert own.height == 9 and own.select(pl.col("think", "instruct").sum()).row(0) == (
            mine,
            mine,
        )
        for branch in ("think", "instruct"):
            rows = tables.read(output / f"{branch}.parquet")
            assert rows["id"].n_unique() == rows.height == counts[branch]["examples"] == height


def test_same_bytes_in_other_circumstances(inputs: dict[str, Path], tmp_path: Path) -> None:
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    found = run_twice(CODE, tmp_path, paths, json.dumps(OPTIONS))
    assert set(found) == {
        "think.parquet",
        "instruct.parquet",
        "contributions.parquet",
        "drops.parquet",
    }
