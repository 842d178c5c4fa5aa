"""What merging holds: of rows that are equal one, and of rows that come among others a run."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from held import most_held
from regrow.data.sources.kinds import jsonl
from regrow.data.tables import stream
from regrow.params.schema import check

SCHEMA = {"id": pl.String, "text": pl.String}


def test_of_equal_rows_one_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BATCH", 50_000)
    monkeypatch.setattr(stream, "SMALL", 50_000)
    monkeypatch.setattr(stream, "GROUP_SIZE", 50_000)
    with stream.Writer(tmp_path / "a.parquet", SCHEMA) as writer:
        for _ in range(600):
            writer.add({"id": "a", "text": "x" * 10_000})
    count = 0

    def read() -> None:
        nonlocal count
        for row in stream.merged([tmp_path / "a.parquet"] * 2, ("id",), tmp_path):
            count += row["text"] == "x" * 10_000

    held = most_held(read, monkeypatch)
    assert count == 1_200 and held.bytes < 2_000_000


def test_runs_hold_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = stream.Runs(SCHEMA, ("id",), tmp_path, "run", run_size=50_000)

    def write() -> None:
        for n in range(3_000):
            runs.add({"id": f"{n * 7919 % 3_001:05d}", "text": f"{n:01000d}"})

    held = most_held(write, monkeypatch)
    assert held.bytes < 1_000_000  # of 3,000,000
    ids = [row["id"] for row in stream.merged(runs.files(), ("id",), tmp_path)]
    assert len(ids) == 3_000 and ids == sorted(ids)


def test_a_reader_holds_no_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """8,000 lines that are no JSON: their rows would take 5 MB."""
    monkeypatch.setattr(stream.Runs.__init__, "__defaults__", (50_000,))
    for limit in ("BATCH", "SMALL", "GROUP_SIZE"):
        monkeypatch.setattr(stream, limit, 10_000)
    (tmp_path / "a.jsonl").write_text("".join(f"[{n}" + "\n" for n in range(8_000)))
    entry = {"name": "s", "kind": "jsonl", "files": ["x"], "licence": "MIT", "origin": "x"}
    given = (
        {"files.000": tmp_path / "a.jsonl"},
        check({"stages": ["pretrain"]}, "x"),
        tmp_path / "o",
    )
    counts: dict[str, object] = {}
    run = lambda: counts.update(jsonl.run(*given, source=entry, instance="000of001"))  # noqa: E731
    held = most_held(run, monkeypatch)
    assert json.dumps(counts["dropped"]) == '{"bad_json": 8000}'
    assert held.bytes < 2_500_000
