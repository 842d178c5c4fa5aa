"""Documents that a fork brought, through its mix into training; and lookups made ahead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regrow.ask.batch import batch_of_step, totals
from regrow.ask.trace.answer import trace
from regrow.cli.main import main
from regrow.data.tables import parquet as tables
from regrow.evidence.ledger import Ledger
from regrow.evidence.lookup import store
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.open import open_run
from regrow.evidence.runs.packs import Packs
from regrow.learn.tasks.mid.text import identity
from regrow.publish.explorer.documents import documents
from regrow.publish.explorer.page import facts, page
from small_fork import OWN, write_chats, write_fork, write_takedown
from small_tree import ID, url
from sound_records import output_of, write_sound


@pytest.fixture
def forked(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """After midtraining read the mix of a fork."""
    return Ledger.load(write_fork(tree, monkeypatch))


def stops(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(stop["step"], stop["outcome"]) for stop in answer["stops"]]


@pytest.mark.parametrize("query", [OWN["kept"], OWN["kept"][:9], "file:kept.md", "my KEPT notes."])
def test_an_own_document_is_followed_into_training(forked: Ledger, query: str) -> None:
    answer = trace(forked, query)
    assert stops(answer) == [("fork", "kept"), ("forkmix.mine", "kept")]
    assert answer["stops"][0]["facts"]["licence"] == "CC-BY-4.0"
    by = {entry["stage"]: entry for entry in answer["training"]}
    assert {"midtrain", "midtrain_b"} <= set(by)
    assert {row["id"] for row in by["midtrain"]["seen"]} == {identity("own", OWN["kept"], 0)}
    for step in by["midtrain"]["steps"]:
        rows = batch_of_step(forked, forked.by_name["midtrain.000004"], step)["documents"]
        assert any(row.get("url") == "file:kept.md" and row["component"] == "own" for row in rows)


@pytest.mark.parametrize(
    ("name", "end", "fate"),
    [
        ("aside", ("forkmix.mine", "held out"), "held out"),
        ("leak", ("forkmix.mine", "dropped"), "dropped by forkmix.mine: leak.heldout"),
        ("late", ("forkmix.mine", "kept"), "kept, but in no packed stream"),
    ],
)
def test_what_did_not_enter_says_why(
    forked: Ledger, name: str, end: tuple[str, str], fate: str
) -> None:
    answer = trace(forked, OWN[name])
    assert stops(answer)[-1] == end and answer["fate"].startswith(fate)


def test_a_document_of_the_crawl_is_followed_into_the_fork_too(forked: Ledger) -> None:
    answer = trace(forked, url("joins"))
    assert ("forkmix.mine", "kept") in stops(answer)
    mid = next(entry for entry in answer["training"] if entry["stage"] == "midtrain")
    assert {row["id"] for row in mid["instances"]} == {"passage1"}


def test_lookups_made_ahead_are_all_that_questions_need(
    forked: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(forked.root)
    assert main(["trace", "--index", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["lookups"] > made["tables"] > 30 and made["bytes"] > 0

    def refuse(*_: Any) -> Any:
        raise AssertionError("a lookup was made that --index had left out")

    monkeypatch.setattr(store.Store, "_made", refuse)
    for query in (
        *OWN.values(),
        *ID.values(),
        url("joins"),
        "train-add-0",
        "think-1",
        "pair-1",
        "question1",
    ):
        trace(forked, query)
    for record in forked.checkpoints():
        if record.trained and record.trained[1] and record.step != "soup":
            batch_of_step(forked, record, 1)


def test_text_is_read_as_text_alone(
    forked: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(forked.root)
    assert main(["trace", "--text", "notes."]) == 1
    listed = capsys.readouterr().out
    assert "4 documents fit" in listed and OWN["late"][:12] in listed and "My late notes." in listed
    assert main(["trace", "--text", OWN["kept"]]) == 1
    assert "no document has the id, URL or text" in capsys.readouterr().err


def test_the_explorer_shows_the_fork_and_its_documents(forked: Ledger) -> None:
    told = facts(forked)
    nodes = {node["name"]: node for node in told["graph"]["nodes"]}
    assert (
        nodes["forkmix"]["records"] == ["forkmix.mine"] and nodes["forks/mine"]["kind"] == "source"
    )
    assert ">mine<" in page(forked)
    own = {row[0]: row for row in told["documents"]["rows"] if row[0] in OWN.values()}
    assert len(own) == len(OWN)
    for document in documents(Outputs(forked)):
        if document.id in own:
            answer = trace(forked, str(document.id))
            assert document.fate == answer["fate"]
            assert [(s.step, s.outcome) for s in document.stops] == stops(answer)


def test_a_document_that_was_taken_down_was_seen_by_nothing(tree: Path) -> None:
    before = trace(Ledger.load(tree), url("queries"))
    assert any(entry["stage"] == "pretrain" for entry in before["training"])
    ledger = Ledger.load(write_takedown(tree, "queries"))
    after = trace(ledger, url("queries"))
    saw = [entry["stage"] for entry in after["training"]]
    assert after["fate"].startswith("seen by") and saw == ["longcontext", "longcontext_control"]
    assert "pretrain" not in after["fate"], "only what the takedown left"
    assert after["stops"][-1]["facts"]["slots"] == 1
    seen = trace(ledger, url("joins"))["training"][0]
    assert (
        seen == trace(Ledger.load(tree), url("joins"))["training"][0]
        and seen["stage"] == "pretrain"
    )
    rows = [
        row
        for step in (1, 2, 3, 4)
        for row in batch_of_step(ledger, ledger.by_name["pretrain.000008"], step)["documents"]
    ]
    assert {row["id"] for row in rows} >= {"takedown:gone"} and ID["queries"] not in {
        row["id"] for row in rows
    }
    told = {document.id: document for document in documents(Outputs(ledger))}
    assert told[ID["queries"]].fate == after["fate"]
    assert "pack_masked" in {node["name"] for node in facts(ledger)["graph"]["nodes"]}


def test_a_stage_that_changed_its_data_in_between(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps before the fork hold the parent's mix, steps after it the fork's; both directions agree."""
    before = {
        step: batch_of_step(Ledger.load(tree), Ledger.load(tree).by_name["midtrain.000004"], step)
        for step in (1, 2)
    }
    ledger = Ledger.load(write_fork(tree, monkeypatch, since=2))
    last = ledger.by_name["midtrain.000004"]
    for step, wanted in before.items():
        assert batch_of_step(ledger, last, step) == wanted | {"checkpoint": "midtrain.000004"}
    run = open_run(Outputs(ledger), last)
    assert (
        isinstance(run, Packs) and run.since == 2 and run.jobs == ["forkmix.mine", "midtrain_data"]
    )
    own = identity("own", OWN["kept"], 0)
    saw: dict[str, set[int]] = {}
    for step in (1, 2, 3, 4):
        for row in batch_of_step(ledger, last, step)["documents"]:
            saw.setdefault(row["id"], set()).add(step)
    assert saw[own] <= {3, 4} and any(steps & {1, 2} for steps in saw.values())
    for id, steps in saw.items():
        assert {row["step"] for row in run.of(id)} == steps
    entry = next(e for e in trace(ledger, OWN["kept"])["training"] if e["stage"] == "midtrain")
    assert set(entry["steps"]) == saw[own]
    told = {document.id: document for document in documents(Outputs(ledger))}
    for id in (OWN["kept"], ID["joins"]):
        answer = trace(ledger, id)
        seen = [(e["stage"], e["steps"], e["tokens"]) for e in answer["training"]]
        assert [(e.stage, e.steps, e.tokens) for e in told[id].seen] == seen
    found = totals(ledger, last)
    assert found["tokens"] == sum(row["tokens"] for row in found["by_component"])


def test_a_conversation_of_a_fork(tree: Path) -> None:
    ledger = Ledger.load(write_chats(tree))
    answer = trace(ledger, "chat-1")
    assert answer["matches"][0]["kind"] == "conversation"
    assert [s["step"] for s in answer["stops"]] == ["forksft.mine", "forksft.mine"]
    (entry,) = [e for e in answer["training"] if e["stage"] == "sft"]
    assert {row["id"] for row in entry["seen"]} == {"own-1"}
    rows = batch_of_step(ledger, ledger.by_name["sft.000004"], entry["steps"][0])["examples"]
    assert any(row["task"] == "chat-1" and row["licence"] == "CC0-1.0" for row in rows)
    example = trace(ledger, "own-1")
    assert example["stops"][0]["facts"]["licence"] == "CC0-1.0"
    gone = trace(ledger, "chat-2")
    assert gone["stops"][0]["facts"]["reason"] == "leak.tasks" and gone["training"] == []
    kept = trace(ledger, "think-2")  # of the flow, and taken over by the fork
    assert [s["step"] for s in kept["stops"]] == ["tasks", "sft_data", "forksft.mine"]


def test_a_document_that_only_pretraining_had_is_seen_by_nothing_after_its_takedown(
    tree: Path,
) -> None:
    before = trace(Ledger.load(tree), url("views"))
    assert [entry["stage"] for entry in before["training"]] == ["pretrain"]
    ledger = Ledger.load(write_takedown(tree, "views"))
    after = trace(ledger, url("views"))
    assert (after["fate"], after["training"]) == ("not seen: masked by a takedown", [])
    told = {document.id: document for document in documents(Outputs(ledger))}[ID["views"]]
    assert (told.fate, told.end) == (after["fate"], "dropped")


def test_a_withdrawn_document_ends_behind_the_text(tree: Path) -> None:
    drop = {"id": ID["views"], "step": "withdraw", "reason": "takedown"}
    tables.write(tables.drops([drop]), tree / "data/withdraw/gone/drops.parquet")
    record = json.loads((tree / "records/text.json").read_text())
    output = output_of(tree, "data/withdraw/gone")
    record |= {"step": "withdraw", "instance": "gone", "output": output}
    write_sound(tree / "records/withdraw.gone.json", record)
    ledger = Ledger.load(tree)
    answer = trace(ledger, url("views"))
    assert stops(answer) == [("crawl", "kept"), ("text", "kept"), ("withdraw.gone", "dropped")]
    assert answer["fate"] == "dropped by withdraw.gone: takedown"
    told = {document.id: document for document in documents(Outputs(ledger))}[ID["views"]]
    assert told.fate == answer["fate"] and [(s.step, s.outcome) for s in told.stops] == stops(
        answer
    )
