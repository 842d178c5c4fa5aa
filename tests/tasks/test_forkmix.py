"""What a fork's midtraining reads: own documents in their share, nothing that leaks, the rest the parent's."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import small_tasks
from determinism import hashes
from regrow.data.dedup import evals
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe
from regrow.data.tokens.reader import Packed
from regrow.learn.tasks import forkmix, midtrain_data
from regrow.params.fork import Fork


def own(count: int, words: int = 120) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{n:032x}",
            "source": "mine",
            "licence": "CC0-1.0",
            "text": " ".join(f"w{(n * 7919 + k * 104729) % 5003}" for k in range(words)),
        }
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    made = small_tasks.write(root)
    midtrain_data.run(
        made, SimpleNamespace(midtrain_data=small_tasks.MIDTRAIN_DATA), root / "midtrain_data"
    )
    return {**made, "midtrain_data": root / "midtrain_data"}


def run(
    inputs: dict[str, Path], rows: list[dict[str, Any]], folder: Path, **changes: Any
) -> tuple[Path, dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{**row, "url": f"file:{row['id']}"} for row in rows]
    tables.write(pl.DataFrame(rows).sort("id"), folder / "documents.parquet")
    fork = Fork(name="mine", checkpoint=0, **changes)
    params = SimpleNamespace(fork=fork, midtrain_data=small_tasks.MIDTRAIN_DATA)
    given = {**inputs, "documents": folder / "documents.parquet"}
    return folder / "out", forkmix.run(given, params, folder / "out", instance="mine")


def test_shares_sizes_and_what_is_kept_apart(inputs: dict[str, Path], tmp_path: Path) -> None:
    output, counts = run(inputs, own(60), tmp_path, share=0.4, heldout_share=0.2)
    parent = Packed(inputs["midtrain_data"])
    packed = Packed(output)
    assert abs(packed.sequences - parent.sequences) <= 2
    tokens = packed.sequences * packed.sequence_length
    assert abs(counts["own"]["tokens"] / tokens - 0.4) < 0.03
    assert counts["own"]["heldout"] > 3 and Packed(output / "heldout/own").sequences
    for name in ("documents", "tasks"):  # what the parent is measured by, byte for byte
        assert hashes(output / "heldout" / name) == hashes(
            inputs["midtrain_data"] / "heldout" / name
        )
    documents = tables.read(output / "documents.parquet")
    mine = documents.filter(pl.col("component") == "own")
    assert set(mine["licence"]) == {"CC0-1.0"} and set(mine["source"]) == {"mine"}
    index = tables.read(output / "index.parquet")
    assert set(index["id"]) <= set(documents["id"])
    assert counts["own"]["documents"] + counts["own"]["heldout"] == 60
    assert mine["parent"].n_unique() == counts["own"]["passages"]


def test_the_tokens_are_those_of_the_texts(inputs: dict[str, Path], tmp_path: Path) -> None:
    output, _ = run(inputs, own(30), tmp_path)
    tokenizer, _ = bpe.load(inputs["tokenizer"])
    texts = dict(tables.read(output / "documents.parquet").select("id", "text").iter_rows())
    packed = Packed(output)
    index = tables.read(output / "index.parquet")["id"].to_list()
    for row, name in enumerate(index[:-1]):
        assert tokenizer.encode(texts[name]).ids == packed.instance(row).tolist()[:-1]


def test_leaks_and_repeats_are_dropped_with_their_reason(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    heldout = tables.read(inputs["decontaminate"] / "heldout.parquet")["text"][0]
    item = evals.load(inputs["evals"])[0]
    rows = own(30)
    rows[0]["text"] = rows[1]["text"]
    rows[2]["text"] = heldout
    rows[3]["text"] = item.text
    output, counts = run(inputs, rows, tmp_path, heldout_share=0.0)
    drops = {row["id"]: row["reason"] for row in tables.read(output / "drops.parquet").to_dicts()}
    assert drops[rows[1]["id"]] == "exact" and drops[rows[2]["id"]] == "leak.heldout"
    assert counts["dropped"] == {"exact": 1, "leak.eval": 1, "leak.heldout": 1}
    text = "\n".join(tables.read(output / "documents.parquet")["text"].drop_nulls())
    assert item.text not in text and heldout not in text


def test_few_documents_are_not_repeated_without_end(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    output, counts = run(inputs, own(3), tmp_path, share=0.9, max_repeats=2, heldout_share=0.0)
    assert counts["own"]["repeats"] == 2
    assert Packed(output).sequences >= Packed(inputs["midtrain_data"]).sequences - 1
    with pytest.raises(ValueError, match="no document of forks/mine may enter"):
        blank = [
            {
                **own(1)[0],
                "text": tables.read(inputs["decontaminate"] / "heldout.parquet")["text"][0],
            }
        ]
        run(inputs, blank, tmp_path / "blank")


def test_bytes_do_not_depend_on_the_process(inputs: dict[str, Path], tmp_path: Path) -> None:
    first, _ = run(inputs, own(20), tmp_path / "a")
    second, _ = run(inputs, own(20), tmp_path / "b")
    assert hashes(first) == hashes(second)
    shutil.rmtree(second)
    other, _ = run(inputs, own(20), tmp_path / "c", seed=1)
    assert hashes(first) != hashes(other)
