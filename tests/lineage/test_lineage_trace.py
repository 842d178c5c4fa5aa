from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regrow.cli.main import main
from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Ledger
from regrow.lineage.trace.answer import trace
from regrow.train.order import Order
from small_tree import BATCH, ID, LENGTH, STEPS_TRAINED, url


def stop(answer: dict[str, Any], step: str) -> dict[str, Any]:
    return next(s for s in answer["stops"] if s["step"] == step)


@pytest.mark.parametrize(
    "query",
    [
        ID["joins"],
        ID["joins"][:8].upper(),
        url("joins"),
        url("joins") + "#inner",
        "http://manual.example/doc/joins.html",
        "joins.html",
        "from both  sides\nwhere the keys AGREE.",
    ],
)
def test_a_document_is_found_by_id_url_and_text(ledger: Ledger, query: str) -> None:
    assert [match["id"] for match in trace(ledger, query)["matches"]] == [ID["joins"]]


def test_a_kept_document_is_followed_to_the_steps_that_saw_it(ledger: Ledger) -> None:
    answer = trace(ledger, url("joins"))
    assert [s["outcome"] for s in answer["stops"]] == ["kept"] * 7
    assert stop(answer, "dedup")["facts"]["copies_dropped"][0]["id"] == ID["copy"]
    assert stop(answer, "mix")["facts"]["repeats"] == 3
    training = answer["training"]
    assert [(i["start"], i["end"]) for i in training["instances"]] == [
        (0, 21),
        (64, 85),
        (103, 112),
    ]
    # By hand: the stream is cut every 16 tokens into 7 sequences; 0, 1, 4, 5, 6 hold the document.
    held = {0: 16, 1: 5, 4: 16, 5: 5, 6: 9}
    seen = Order(7, 0).at(0, STEPS_TRAINED * BATCH).tolist()
    assert training["tokens"] == sum(held.get(sequence, 0) for sequence in seen)
    steps = {at // BATCH + 1 for at, sequence in enumerate(seen) if sequence in held}
    assert training["steps"] == sorted(steps)
    assert all(s["tokens"] <= LENGTH for s in training["seen"])
    assert training["checkpoints"] == ["pretrain.000004", "pretrain.000008"]


@pytest.mark.parametrize(
    ("name", "step", "facts"),
    [
        ("empty", "text", {"reason": "empty", "value": 0.0, "threshold": 1.0}),
        ("short", "filter", {"reason": "length.words", "value": 2.0, "threshold": 50.0}),
        (
            "copy",
            "dedup",
            {"reason": "near", "value": 0.93, "threshold": 0.8, "detail": ID["joins"]},
        ),
    ],
)
def test_a_drop_says_why(ledger: Ledger, name: str, step: str, facts: dict[str, Any]) -> None:
    answer = trace(ledger, url(name))
    assert answer["stops"][-1] == {"step": step, "outcome": "dropped", "facts": facts}
    assert answer["fate"] == f"dropped by {step}: {facts['reason']}"
    assert answer["training"] is None


def test_held_out_unmixed_and_never_fetched(ledger: Ledger) -> None:
    assert trace(ledger, url("held"))["fate"].startswith("held out")
    poor = trace(ledger, url("poor"))
    assert poor["fate"] == "dropped by mix: low_quality"
    assert poor["stops"][-1]["facts"]["repeats"] == 0
    private = trace(ledger, url("private"))
    assert private["fate"] == "dropped by crawl: robots" and private["matches"][0]["id"] is None


def test_several_fit_and_none_fits(ledger: Ledger) -> None:
    many = trace(ledger, "where the keys agree")
    assert {match["id"] for match in many["matches"]} == {ID["joins"], ID["copy"]}
    assert "fate" not in many
    with pytest.raises(Unanswerable, match=r"Nearest: manual\.example/doc/views\.html"):
        trace(ledger, "https://manual.example/doc/viewz.html")
    with pytest.raises(Unanswerable, match=f"(?s)Nearest:.*{ID['indexes'][:12]}"):
        trace(ledger, "an index makes every lookup faster than before")
    with pytest.raises(Unanswerable, match="comes near"):
        trace(ledger, "zzzz qqqq")
    with pytest.raises(Unanswerable, match="empty query"):
        trace(ledger, " ")


def test_what_is_not_on_disk_is_said(tree: Path) -> None:
    for name in ("pack/tokens.bin", "filter/documents.parquet"):
        (tree / "data" / name).unlink()
    answer = trace(Ledger.load(tree), url("joins"))
    assert stop(answer, "filter")["outcome"] == "unknown"
    assert answer["training"] is None and answer["fate"].startswith("kept for training")
    assert "dvc pull data/filter data/pack" in answer["hint"]


def test_order_of_a_step_is_the_inverse_of_trace(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ledger.root)
    seen = {name: set(trace(ledger, url(name))["training"]["steps"]) for name in ("joins", "views")}
    for step in range(1, STEPS_TRAINED + 1):
        assert main(["order", "pretrain.000008", "--step", str(step), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["tokens"] == BATCH * LENGTH
        ids = {row["id"] for row in answer["documents"]}
        for name, steps in seen.items():
            assert (ID[name] in ids) == (step in steps)
    first = answer["documents"][0]
    assert first["url"] and first["title"].startswith("About ")


def test_totals_of_a_checkpoint_add_up(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ledger.root)
    assert main(["order", "data/pretrain/000008", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["tokens"] == STEPS_TRAINED * BATCH * LENGTH
    for column in ("topic", "source", "licence"):
        assert sum(row["tokens"] for row in answer[f"by_{column}"]) == answer["tokens"]
    joins = trace(ledger, url("joins"))["training"]
    most = answer["most_seen"][0]
    assert (most["id"], most["tokens"], most["views"]) == (
        ID["joins"],
        joins["tokens"],
        len(joins["seen"]),
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["order", "pretrain.000004", "--step", "5"], "steps 1 to 4, not 5"),
        (["order", "pretrain.000000", "--step", "1"], "initialisation"),
        (["order", "mix", "--step", "1"], "not a training checkpoint"),
    ],
)
def test_order_refuses(
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(finished)
    assert main(arguments) == 1
    assert says in capsys.readouterr().err


def test_trace_command(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    assert main(["trace", "Too", "short."]) == 0
    text = capsys.readouterr().out
    assert "dropped: length.words, measured 2, threshold 50" in text
    assert main(["trace", "keys agree"]) == 1
    assert "2 documents fit" in capsys.readouterr().out
    assert main(["trace", url("joins")]) == 0
    assert "repeat 2: tokens 103 to 112" in capsys.readouterr().out
