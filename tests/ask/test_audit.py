from __future__ import annotations

import json
from pathlib import Path

import pytest

from regrow.ask.audit import audit
from regrow.cli.main import main
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from sound_records import write_sound


def test_the_chain_reaches_the_sources(ledger: Ledger) -> None:
    answer = audit(ledger, resolve(ledger, "release.pretrain-000008"))
    assert answer["problems"] == []
    names = [step["name"] for step in answer["steps"]]
    assert names[0] == "crawl" and names[-1] == "release.pretrain-000008"
    assert "release.pretrain-000004" not in names, "other releases are no ancestors"
    made = {step["name"]: step["output"]["sha256"] for step in answer["steps"]}
    for step in answer["steps"]:
        for item in step["inputs"]:
            if item["kind"] == "data":
                assert item["sha256"] == made[item["made_by"]]
    assert [s["name"] for s in answer["sources"]] == ["regrow", "manual-1.0"]
    assert {row["licence"] for row in answer["licences"]} == {"Apache-2.0", "MIT"}
    assert answer["source_files"][0]["path"] == "sources/sites/manual.tar.xz"
    assert answer["documents"][1] == {
        "step": "filter",
        "in": 8,
        "kept": 7,
        "dropped": {"length.words": 1},
    }
    json.dumps(answer)


def test_a_record_made_from_another_input_is_a_contradiction(tree: Path) -> None:
    path = tree / "records" / "filter.json"
    record = json.loads(path.read_text())
    record["output"]["files"][0]["sha256"] = "0" * 64
    write_sound(path, record)
    ledger = Ledger.load(tree)
    problems = audit(ledger, resolve(ledger, "dedup"))["problems"]
    assert len(problems) == 1 and problems[0].startswith("dedup was made from another filter")


def test_a_missing_record_and_other_sources_are_contradictions(tree: Path) -> None:
    (tree / "records" / "text.json").unlink()
    (tree / "sources" / "sites" / "manual.tar.xz").write_bytes(b"another")
    ledger = Ledger.load(tree)
    first = audit(ledger, resolve(ledger, "filter"))["problems"]
    assert first == ["filter: the record of its input text (records/text.json) is missing."]
    problems = audit(ledger, resolve(ledger, "crawl"))["problems"]
    assert len(problems) == 1 and "other contents of sources" in problems[0]


def test_command(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished / "data")
    assert main(["audit", "pretrain.000004"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text, "no colour where nobody looks"
    for part in (
        "sdist manual 1.0",
        "batch_sequences=2",
        "fma32",
        "length.words 1",
        "12 records",
        "near 1 (nearly the same text as a document that stays)",
    ):
        assert part in text
    assert main(["audit", "rlvr"]) == 0, "a soup counts no documents, though it says what it kept"
    capsys.readouterr()
    assert main(["audit", "mix", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["steps"][-1]["params"]["mix"]["max_repeats"] == 7.0
    assert main(["audit", "nothing"]) == 1
    assert "Steps with records" in capsys.readouterr().err
