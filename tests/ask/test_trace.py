from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from regrow.ask.batch import batch_of_step, totals
from regrow.ask.trace.answer import trace
from regrow.cli.main import main
from regrow.data.tables import parquet as tables
from regrow.data.tokens.order import Order
from regrow.data.tokens.reader import Packed
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.learn.train.buckets import Buckets
from regrow.publish.explorer.documents import documents
from small_tree import BATCH, ID, LENGTH, STEPS_TRAINED, republish, url


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
    assert [s["outcome"] for s in answer["stops"]] == ["kept"] * 9
    assert stop(answer, "midtrain_data")["facts"] == {
        "component": "pretraining", "documents": 1, "ids": ["passage1"],
    }  # fmt: skip
    assert stop(answer, "dedup")["facts"]["copies_dropped"][0]["id"] == ID["copy"]
    assert stop(answer, "mix")["facts"]["repeats"] == 3
    training = answer["training"][0]
    assert training["stage"] == "pretrain"
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
    assert answer["training"] == []


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
    assert "pretrain" not in {entry["stage"] for entry in answer["training"]}
    assert "dvc pull data/filter data/pack" in answer["hint"]


def test_order_of_a_step_is_the_inverse_of_trace(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ledger.root)
    seen = {
        name: set(trace(ledger, url(name))["training"][0]["steps"]) for name in ("joins", "views")
    }
    for step in range(1, STEPS_TRAINED + 1):
        assert main(["batch", "pretrain.000008", "--step", str(step), "--json"]) == 0
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
    assert main(["batch", "data/pretrain/000008", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["tokens"] == STEPS_TRAINED * BATCH * LENGTH
    for column in ("topic", "source", "licence"):
        assert sum(row["tokens"] for row in answer[f"by_{column}"]) == answer["tokens"]
    joins = trace(ledger, url("joins"))["training"][0]
    most = answer["most_seen"][0]
    assert (most["id"], most["tokens"], most["views"]) == (
        ID["joins"],
        joins["tokens"],
        len(joins["seen"]),
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["batch", "pretrain.000004", "--step", "5"], "steps 1 to 4 of its stage, not 5"),
        (["batch", "pretrain.000000", "--step", "1"], "initialisation"),
        (["batch", "mix", "--step", "1"], "not a training checkpoint"),
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
    assert main(["trace", url("copy")]) == 0
    near = "dropped: near, measured 0.93, threshold 0.8 (nearly the same text as a document that stays)"
    assert near in capsys.readouterr().out
    assert main(["trace", "keys agree"]) == 1
    assert "2 documents fit" in capsys.readouterr().out
    assert main(["trace", url("joins")]) == 0
    assert "repeat 2: tokens 103 to 112" in capsys.readouterr().out


def test_a_document_of_later_mixes_is_followed_through_them(ledger: Ledger) -> None:
    answer = trace(ledger, url("joins"))
    by = {entry["stage"]: entry for entry in answer["training"]}
    assert list(by) == [
        "pretrain", "midtrain", "midtrain_b", "longcontext", "longcontext_control",
    ]  # fmt: skip
    assert by["midtrain"]["instances"] == [
        {"instance": 1, "id": "passage1", "repeat": 0, "start": 11, "end": 32}
    ]
    assert answer["fate"].startswith(f"seen by {len(by['pretrain']['steps'])} steps of pretrain")
    assert f"{len(by['midtrain']['steps'])} steps of midtrain (" in answer["fate"]


@pytest.mark.parametrize(
    ("stage", "key", "batch", "length"),
    [
        ("midtrain.000004", ("midtrain", 0), BATCH, LENGTH),
        ("midtrain_b.000004", ("midtrain_b", 1), BATCH, LENGTH),
        ("longcontext.000002", ("longcontext", 0), BATCH, 2 * LENGTH),
        ("longcontext_control.000002", ("longcontext_control", 0), 2 * BATCH, LENGTH),
    ],
)
def test_order_of_later_packs(
    ledger: Ledger, stage: str, key: tuple[str, int], batch: int, length: int
) -> None:
    """As regrow.learn.train.kinds builds it: the control reads the tokens of a step cut short."""
    record = ledger.by_name[stage]
    data = ledger.root / ("data/midtrain_data" if "mid" in stage else "data/longcontext_data")
    pack = Packed(data / "short" if "control" in stage else data)
    order = Order(pack.sequences, key[1], key[0])
    last = int(record.instance or 0)
    for step in range(1, last + 1):
        answer = batch_of_step(ledger, record, step)
        rows: dict[int, int] = {row["row"]: row["sequence"] for row in answer["documents"]}
        assert list(rows.values()) == order.at((step - 1) * batch, batch).tolist()
        assert (answer["tokens"], answer["sequence_length"]) == (batch * length, length)
    found = totals(ledger, record)
    assert found["tokens"] == last * batch * length
    assert sum(row["tokens"] for row in found["by_component"]) == found["tokens"]


def test_an_order_that_contradicts_the_checkpoint_is_refused(tree: Path) -> None:
    state = tree / "data/midtrain/000004/state.json"
    state.write_text(json.dumps({"order": {"key": "midtrain order seed 7"}}))
    republish(tree, "midtrain.000004")
    ledger = Ledger.load(tree)
    with pytest.raises(Unanswerable, match="`midtrain order seed 7`, but its record means"):
        batch_of_step(ledger, ledger.by_name["midtrain.000004"], 1)


@pytest.mark.parametrize(
    ("stage", "table", "source", "unit"),
    [
        ("sft", "sft_data/think.parquet", None, "examples"),
        ("sft_instruct", "sft_data/instruct.parquet", None, "examples"),
        ("dpo", "pairs/pairs.parquet", "judged", "pairs"),
        ("dpo_delta", "pairs/pairs.parquet", "delta", "pairs"),
    ],
)
def test_order_of_examples_and_pairs(
    ledger: Ledger, stage: str, table: str, source: str | None, unit: str
) -> None:
    """Against the buckets that the trainer draws from, and trace as the inverse of order."""
    frame = pl.read_parquet(ledger.root / "data" / table).sort("id")
    if source:
        frame = frame.filter(pl.col("source") == source)
        lengths = [
            len(r["prompt"]) + max(len(r["chosen"]), len(r["rejected"])) for r in frame.to_dicts()
        ]
    else:
        lengths = [len(tokens) for tokens in frame["tokens"].to_list()]
    buckets = Buckets(lengths, 1, f"{stage} order seed 0")
    record = ledger.checkpoints(stage)[-1]
    last = int(record.instance or 0)
    saw: dict[str, set[int]] = {}
    for step in range(1, last + 1):
        rows = batch_of_step(ledger, record, step)[unit]
        places = range((step - 1) * BATCH, step * BATCH)
        wanted = [frame["id"][n] for place in places for n in buckets.at(place)]
        assert [row["id"] for row in rows] == wanted
        assert all(row["question"].startswith("Question") for row in rows)
        for id in wanted:
            saw.setdefault(id, set()).add(step)
    for id, steps in saw.items():
        answer = trace(ledger, id)
        assert answer["matches"][0]["kind"] == unit.removesuffix("s")
        (entry,) = [e for e in answer["training"] if e["stage"] == stage]
        assert entry["steps"] == sorted(steps)
        assert answer["stops"][0]["step"] == "tasks"
    assert totals(ledger, record)["sequences"] == last * BATCH


def test_order_of_reinforcement_learning_shows_the_answers(ledger: Ledger) -> None:
    answer = batch_of_step(ledger, ledger.by_name["rlvr.000004"], 3)
    assert [(r["group"], r["sample"]) for r in answer["rollouts"]] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert answer["rollouts"][0]["question"] == "Question 0 of add?"
    with pytest.raises(Unanswerable, match="steps 1 to 2"):
        batch_of_step(ledger, ledger.by_name["rlvr.000002"], 3)
    found = totals(ledger, ledger.by_name["rlvr.000004"])
    assert found["began_from"] == ["dpo.000002"]
    reasons = {row["reason"]: row["count"] for row in found["by_reason"]}
    assert sum(reasons.values()) == 4 * 4 and set(reasons) == {"full reward", "wrong answer"}


def test_a_task_is_followed_across_the_stages(ledger: Ledger) -> None:
    answer = trace(ledger, "train-add-0")
    assert [match["kind"] for match in answer["matches"]] == ["task"]
    assert answer["stops"][0]["step"] == "tasks"
    assert {"sft_data", "pairs", "difficulty"} <= {s["step"] for s in answer["stops"]}
    mid = next(entry for entry in answer["training"] if entry["stage"] == "midtrain")
    assert {row["id"] for row in mid["seen"]} == {"question1"}
    rl = next(entry for entry in answer["training"] if entry["stage"] == "rlvr")
    assert rl["steps"] == [3] and {row["task"] for row in rl["seen"]} == {"train-add-0"}
    asked = trace(ledger, "Question 0 of add?")["matches"]
    assert {match["id"] for match in asked} == {f"{s}-add-0" for s in ("train", "dev", "test")}
    held = trace(ledger, "test-add-1")
    assert held["fate"].startswith("held out") and held["training"] == []


def test_what_nothing_saw_is_told_apart(tree: Path) -> None:
    ledger = Ledger.load(tree)
    made = trace(ledger, "think-5")
    assert made["training"] == [] or made["training"][0]["stage"] == "sft"
    for folder in ("pack", "midtrain_data", "longcontext_data", "sft_data", "pairs"):
        for path in (tree / "data" / folder).rglob("tokens.bin"):
            path.unlink()
    for path in (tree / "data").rglob("rollouts.parquet"):
        path.unlink()
    for name in ("sft_data/think", "sft_data/instruct", "pairs/pairs"):
        (tree / f"data/{name}.parquet").unlink()
    assert trace(ledger, url("joins"))["fate"].startswith("kept for training (no training run")


def test_a_later_mix_that_leaves_a_document_out_does_not_end_its_way(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = trace(Ledger.load(tree), url("views"))
    drop = {
        "id": ID["views"],
        "step": "longcontext_data",
        "reason": "short",
        "value": 5.0,
        "threshold": 9.0,
    }
    tables.write(tables.drops([drop]), tree / "data/longcontext_data/drops.parquet")
    republish(tree, "longcontext_data")
    answer = trace(Ledger.load(tree), url("views"))
    assert answer["stops"][-1]["facts"]["reason"] == "short"
    assert answer["stops"][:-1] == before["stops"]
    assert (answer["fate"], answer["training"]) == (before["fate"], before["training"])
    told = {document.id: document for document in documents(Outputs(Ledger.load(tree)))}[
        ID["views"]
    ]
    assert (told.fate, told.end) == (
        answer["fate"],
        "trained" if answer["training"][0]["steps"] else "kept",
    )
    assert [stop.outcome for stop in told.stops] == [stop["outcome"] for stop in answer["stops"]]
    monkeypatch.chdir(tree)
    assert main(["trace", url("views")]) == 0
    assert re.search(r"· longcontext_data +left out: short, measured 5", capsys.readouterr().out)


def test_a_soup_saw_no_data(ledger: Ledger) -> None:
    with pytest.raises(Unanswerable, match=r"ask about midtrain\.000004 or midtrain_b\.000004"):
        batch_of_step(ledger, ledger.by_name["soup.000004"], 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["batch", "sft", "--step", "1"], "think-"),
        (["batch", "dpo-step2", "--step", "2"], "1.00 over 0.00"),
        (["batch", "rlvr", "--step", "2"], "group 1: task train-reverse-2"),
        (
            ["batch", "midtrain", "--step", "1"],
            "pretraining: https://manual.example/doc/joins.html",
        ),
        (["batch", "rlvr"], "by reason"),
        (["batch", "longcontext_control"], "distinct documents seen, begun from soup.000004"),
        (["trace", "train-reverse-1"], "difficulty"),
        (["trace", "pair-1"], "dpo "),
    ],
)
def test_commands_show_every_stage(
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(finished)
    assert main(arguments) == 0
    assert says in capsys.readouterr().out
