"""What a fork's fine-tuning reads: own conversations in their share, nothing that leaks, the rest the parent's."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import small_tasks
from determinism import run_twice
from regrow.data.dedup import evals
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe, chat
from regrow.learn.tasks import forksft, sft_data
from regrow.learn.tasks.sft.style import NO_STEPS
from regrow.params.fork import Fork

CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.fork import Fork
from regrow.params.posttrain import SftData
from regrow.learn.tasks import forksft
fork = Fork(name="mine", checkpoint=0, stage="longcontext", documents=False, chats=True)
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
forksft.run(inputs, SimpleNamespace(fork=fork, sft_data=SftData()), Path(sys.argv[1]), instance="mine")
"""


def own(count: int, answer: str = "It lies in room {}.") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{n:032x}",
            "url": None,
            "source": "mine",
            "licence": "CC0-1.0",
            "messages": json.dumps(
                [
                    {"role": "user", "content": f"Where is thing {n}?"},
                    {"role": "assistant", "content": answer.format(n)},
                ]
            ),
        }
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    made = small_tasks.write(root)
    small_tasks.teacher(root, [])
    sft_data.run(made, SimpleNamespace(sft_data=small_tasks.SFTDATA), root / "sft_data")
    return {**made, "sft_data": root / "sft_data"}


def given(inputs: dict[str, Path], rows: list[dict[str, Any]], folder: Path) -> dict[str, Path]:
    tables.write(pl.DataFrame(rows, schema_overrides={"url": pl.String}), folder / "chats.parquet")
    return {**inputs, "chats": folder / "chats.parquet"}


def run(
    inputs: dict[str, Path], rows: list[dict[str, Any]], folder: Path, **changes: Any
) -> tuple[Path, dict[str, Any]]:
    fork = Fork(name="mine", checkpoint=0, chats=True, **changes)
    params = SimpleNamespace(fork=fork, sft_data=small_tasks.SFTDATA)
    files = given(inputs, rows, folder)
    return folder / "out", forksft.run(files, params, folder / "out", instance="mine")


def test_shares_repeats_and_the_parents_examples(inputs: dict[str, Path], tmp_path: Path) -> None:
    output, counts = run(inputs, own(20), tmp_path, chat_share=0.2, max_repeats=2)
    for branch, parts in (("think", 300), ("instruct", 200)):
        parent = tables.read(inputs["sft_data"] / f"{branch}.parquet")
        rows = tables.read(output / f"{branch}.parquet")
        mine = rows.filter(pl.col("kind") == "own")
        assert rows.height == parent.height == parts and rows["id"].n_unique() == parts
        assert rows["id"].to_list() == sorted(rows["id"]) and rows.schema == parent.schema
        assert mine.height == counts[branch]["own"] == min(40, parts // 5)
        assert mine["task"].value_counts()["count"].to_list() == [2] * 20
        assert set(mine["licence"]) == {"CC0-1.0"} and set(mine["teacher"]) == {"mine"}
        theirs = rows.filter(pl.col("kind") != "own")
        assert theirs.join(parent, on="id", how="semi").height == parts - mine.height
    table = tables.read(output / "contributions.parquet")
    assert table.select("think", "instruct").sum().row(0) == (40, 40)
    assert set(table["outcome"]) == {"kept"}


def test_tokens_and_thinking_are_those_of_the_branch(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    rows = own(3)
    rows[0]["messages"] = json.dumps(
        [
            {"role": "user", "content": "Where is thing 0?"},
            {"role": "assistant", "content": "Here.", "reasoning_content": "I look."},
        ]
    )
    output, _ = run(inputs, rows, tmp_path)
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    for branch, thought in (("think", ["I look.", NO_STEPS]), ("instruct", [None, None])):
        found = tables.read(output / f"{branch}.parquet").filter(pl.col("kind") == "own")
        for row in found.to_dicts():
            messages = json.loads(row["messages"])
            first = row["task"] == rows[0]["id"]
            assert messages[-1].get("reasoning_content") == thought[0 if first else 1]
            assert (row["tokens"], row["mask"]) == chat.example(tokenizer, messages)


def test_what_is_dropped_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    rows = own(6)
    rows[1]["messages"] = rows[0]["messages"]
    rows[2]["messages"] = own(3, "word " * 400)[2]["messages"]
    item = evals.load(inputs["evals"])[0].text
    rows[3]["messages"] = json.dumps(
        [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": item}]
    )
    output, counts = run(inputs, rows, tmp_path, chat_tokens=3_000)
    assert counts["dropped"] == {"duplicate": 2, "leak.eval": 2}, "a longer limit was given"
    outcomes = dict(
        tables.read(output / "contributions.parquet").select("id", "outcome").iter_rows()
    )
    assert [outcomes[row["id"]] for row in rows[:4]] == ["kept", "dropped", "kept", "dropped"]
    _, counts = run(inputs, rows, tmp_path / "short")
    assert counts["dropped"] == {"duplicate": 2, "too_long": 4}, "length is looked at first"
    with pytest.raises(
        ValueError, match=r"no conversation of forks/mine may enter.*chat_tokens \(16\)"
    ):
        run(inputs, [rows[2]], tmp_path / "none", chat_tokens=16)


def test_same_bytes_in_other_circumstances(inputs: dict[str, Path], tmp_path: Path) -> None:
    files = given(inputs, own(12), tmp_path)
    paths = json.dumps({name: str(path) for name, path in files.items()})
    assert len(run_twice(CODE, tmp_path, paths)) == 4
