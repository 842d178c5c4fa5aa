"""`regrow funnel`: sums by source, step and reason, what does not add up, and drops to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from regrow.ask.funnel.answer import answer, named
from regrow.ask.funnel.conserve import disagreements
from regrow.ask.funnel.funnel import by_source, read
from regrow.ask.funnel.samples import TEXT, samples
from regrow.cli.main import main
from regrow.data.tables import parquet as tables
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from small_funnel import Doc, many, write
from small_tree import republish

FLOW = [
    *many(4, "keep", repeats=2),
    *many(2, "copy", lost="dedup", reason="near"),
    Doc("odd", lost="filter", reason="symbols.per_word", text="#" * 40),
    Doc("held", lost="decontaminate", reason="held_out", text="secret answer"),
    *many(3, "page", source="web", text="twelve bytes"),
    *many(2, "gone", source="web", lost="mix", reason="quality_cutoff"),
    Doc("blank", source="web", lost="text", reason="empty"),
]


def test_every_source_and_step_has_its_documents_bytes_tokens_and_reasons(tmp_path: Path) -> None:
    funnel = read(write(tmp_path, FLOW))
    # `blank` was dropped before any table named its source, and no manifest names its address.
    assert funnel.sources == ["books", "unknown", "web"]
    found = {step: by_source(frame) for step, frame in funnel.rows.items()}
    dedup = found["dedup"]["books"]
    assert (dedup["in"], dedup["kept"], dedup["dropped"]) == (7, 5, 2)
    assert (dedup["bytes_in"], dedup["bytes_kept"], dedup["bytes_dropped"]) == (73, 53, 20)
    assert dedup["reasons"] == [{"reason": "near", "documents": 2, "bytes": 20}]
    assert found["filter"]["books"]["reasons"][0]["bytes"] == 40
    assert found["mix"]["web"]["kept"] == 3 and found["mix"]["web"]["bytes_kept"] == 36
    assert {s: one["tokens"] for s, one in found["pack"].items()} == {"books": 80, "web": 30}
    assert found["text"]["unknown"]["dropped"] == 1 and found["text"]["unknown"]["bytes_in"] is None
    assert disagreements(funnel) == []


def test_the_answer_totals_and_narrows_to_a_source(tmp_path: Path) -> None:
    funnel = read(write(tmp_path, FLOW))
    whole = {one["step"]: one for one in answer(funnel)["steps"]}
    assert [whole[step]["kept"] for step in ("text", "filter", "dedup", "mix", "pack")] == [
        13,
        12,
        10,
        7,
        7,
    ]
    web = answer(funnel, "web")
    assert [one["source"] for one in web["sources"]] == ["web"]
    assert {one["step"]: one["in"] for one in web["steps"]}["mix"] == 5
    assert web["sources"][0]["licences"] == ["MIT"]
    assert named(funnel, "boo") == "books"
    with pytest.raises(Unanswerable, match="no such source: web"):
        named(funnel, "wbe")
    with pytest.raises(Unanswerable, match="several sources have it"):
        named(funnel, "o")


def test_a_table_against_its_record_and_a_step_against_the_next(tmp_path: Path) -> None:
    planted = {
        "filter": {"kept": 11},  # one less than in its table
        "dedup": {"dropped": {"near": 1, "exact": 1}},
    }
    said = disagreements(read(write(tmp_path, FLOW, counts=planted)))
    assert "filter: its record counts 13 documents in, but 11 kept and 1 dropped." in said
    assert "filter: 12 documents are kept by its tables, 11 by its record." in said
    assert "dedup: 0 documents are dropped as exact by its tables, 1 by its record." in said
    assert "dedup: 2 documents are dropped as near by its tables, 1 by its record." in said
    assert len(said) == 4


def test_a_source_that_changes_between_steps_is_said_although_the_sums_agree(
    tmp_path: Path,
) -> None:
    write(tmp_path, FLOW)
    path = tmp_path / "data/dedup/documents.parquet"
    frame = pl.read_parquet(path)
    first = frame["id"] == frame.filter(pl.col("source") == "books")["id"][0]
    tables.write(
        frame.with_columns(source=pl.when(first).then(pl.lit("web")).otherwise("source")), path
    )
    republish(tmp_path, "dedup")
    said = disagreements(read(Ledger.load(tmp_path)))
    assert "dedup met 6 documents of books, but filter kept 7." in said
    assert "dedup met 6 documents of web, but filter kept 5." in said


def test_without_tables_the_records_still_give_the_sums(tmp_path: Path) -> None:
    steps = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "pack")
    ledger = write(tmp_path, FLOW, without=steps)
    funnel = read(ledger)
    found = answer(funnel)
    assert found["sources"] == [] and "dvc pull" in found["hint"]
    assert {one["step"]: one["kept"] for one in found["steps"]}["mix"] == 7
    assert found["disagreements"] == []
    with pytest.raises(Unanswerable, match="no source is known here"):
        named(funnel, "web")


def test_where_some_tables_are_missing_the_rest_is_read(tmp_path: Path) -> None:
    funnel = read(write(tmp_path, FLOW, without=("text", "filter")))
    assert set(funnel.rows) == {"dedup", "decontaminate", "classify", "mix", "pack"}
    assert by_source(funnel.rows["mix"])["web"]["dropped"] == 2
    assert disagreements(funnel) == []


def test_drops_of_sources_of_a_recipe_are_theirs(tmp_path: Path) -> None:
    nameless = Doc("row7", source="dump", lost="text", reason="bad_json", url=None)
    placed = Doc(
        "plan", source="notes", lost="text", reason="empty", url="source://notes/2026/plan.md"
    )
    ledger = write(tmp_path, [*FLOW, nameless, placed], reads={"dump": [nameless]})
    found = by_source(read(ledger).rows["text"])
    assert found["dump"]["reasons"] == [{"reason": "bad_json", "documents": 1, "bytes": None}]
    assert found["notes"]["dropped"] == 1 and found["unknown"]["dropped"] == 1


def test_a_table_in_parts_is_read_whole(tmp_path: Path) -> None:
    whole = read(write(tmp_path / "whole", FLOW)).rows["filter"].sort("id")
    write(tmp_path / "parts", FLOW)
    folder = tmp_path / "parts/data/filter"
    frame = pl.read_parquet(folder / "documents.parquet")
    (folder / "documents.parquet").unlink()
    tables.write(frame[:5], folder / "documents-0001.parquet")
    tables.write(frame[5:], folder / "documents-0002.parquet")
    republish(tmp_path / "parts", "filter")
    found = read(Ledger.load(tmp_path / "parts"))
    assert found.rows["filter"].sort("id").equals(whole)
    assert {one["step"] for one in samples(found, 1)} == {"text", "filter", "dedup", "mix"}


def test_a_changed_table_is_refused(tmp_path: Path) -> None:
    ledger = write(tmp_path, FLOW)
    path = tmp_path / "data/dedup/drops.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Unanswerable, match=r"drops\.parquet"):
        read(ledger)


def test_samples_are_few_the_same_for_everyone_and_hold_no_held_out_text(tmp_path: Path) -> None:
    documents = [*FLOW, *many(9, "long", lost="filter", reason="length.long", text="word " * 400)]
    funnel = read(write(tmp_path, documents))
    found = {(one["step"], one["reason"]): one for one in samples(funnel, 2)}
    assert set(found) == {("text", "empty"), ("filter", "length.long"), ("filter", "symbols.per_word"),
                          ("dedup", "near"), ("mix", "quality_cutoff")}  # fmt: skip
    long = found["filter", "length.long"]
    assert long["documents"] == 9 and len(long["dropped"]) == 2
    assert all(len(one["text"]) == TEXT and one["text"].endswith("…") for one in long["dropped"])
    assert found["text", "empty"]["dropped"][0]["text"] is None
    assert found["filter", "symbols.per_word"]["dropped"][0]["text"] == "#" * 40
    assert "secret answer" not in json.dumps(samples(funnel, 99))
    shuffled = read(write(tmp_path / "again", documents[::-1]))
    assert samples(shuffled, 2) == samples(funnel, 2)
    assert [one["reason"] for one in samples(funnel, 1, "web")] == ["quality_cutoff"]


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, FLOW)
    monkeypatch.chdir(tmp_path)
    assert main(["funnel"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    head = next(line for line in lines if line.startswith("source"))
    assert head.split() == [
        "source",
        "met",
        "text",
        "filter",
        "dedup",
        "deconta.",
        "mix",
        "pack",
        "text",
        "tokens",
    ]
    books = next(line for line in lines if line.startswith("books"))
    assert books.split() == ["books", "8", "8", "7", "5", "4", "4", "4", "40", "B", "80"]
    assert next(line for line in lines if line.startswith("all")).split()[:4] == [
        "all",
        "14",
        "13",
        "12",
    ]
    assert (
        "nearly the same text as a document that stays" in said
        and "No guard has a warning." in said
    )
    assert main(["funnel", "--json", "--samples", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["samples"][0]["reason"] == "empty" and found["steps"][0]["in"] == 14
    assert main(["funnel", "--source", "web", "--samples", "2"]) == 0
    said = capsys.readouterr().out
    assert "mix quality_cutoff, 2 dropped" in said and "https://web.example/gone1" in said
    assert main(["funnel", "--samples", "-1"]) == 1
    assert main(["funnel", "--html", str(tmp_path / "no" / "f.html")]) == 1
    assert "--html" in capsys.readouterr().err


def test_what_does_not_add_up_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, FLOW, counts={"mix": {"kept": 8}})
    monkeypatch.chdir(tmp_path)
    assert main(["funnel"]) == 1
    assert "FAIL not_conserved" in capsys.readouterr().out


def test_the_bytes_do_not_depend_on_hash_seed_zone_or_folder(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    found = []
    for seed, zone, place in (("1", "UTC", "."), ("2", "Asia/Tokyo", "data")):
        page = tmp_path / f"{seed}.html"
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from regrow.cli.main import main; sys.exit(main(sys.argv[1:]))",
             "funnel", "--json", "--html", str(page)],
            cwd=tmp_path / place, capture_output=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
        )  # fmt: skip
        found.append((done.stdout, page.read_bytes()))
    assert found[0] == found[1]
