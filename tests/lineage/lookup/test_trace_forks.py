"""Documents that a fork brought, through its mix into training; and lookups made ahead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import small_tree
from regrow.cli.main import main
from regrow.lineage.ledger import Ledger
from regrow.lineage.lookup import store
from regrow.lineage.order import order_of_step
from regrow.lineage.trace.answer import trace
from regrow.tables import parquet as tables
from regrow.tasks.mid.text import identity
from small_tree import ID, url

OWN = {name: small_tree.document_id(name) for name in ("kept", "aside", "leak", "late")}


@pytest.fixture
def forked(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The small tree after midtraining read the mix of a fork."""
    passage = {name: identity("own", id, 0) for name, id in OWN.items()}
    documents = [
        {
            "id": id,
            "url": f"file:{name}.md",
            "source": "notes",
            "licence": "CC-BY-4.0",
            "text": f"My {name} notes.\nMore of them.",
        }
        for name, id in OWN.items()
    ]
    tables.write(pl.DataFrame(documents).sort("id"), tree / "forks/mine/documents.parquet")
    mix = tree / "data/forkmix/mine"
    monkeypatch.setattr(
        small_tree, "TOKENS", small_tree.TOKENS | {passage["kept"]: 24, passage["aside"]: 20}
    )
    small_tree.write_pack(mix, [passage["kept"], "question1", passage["kept"], "passage1"])
    small_tree.write_pack(mix / "heldout/own", [passage["aside"]])
    row = {
        "component": "own",
        "source": "notes",
        "generator": None,
        "licence": "CC-BY-4.0",
        "parent": OWN["kept"],
        "text": "My kept notes.",
    }
    old = pl.read_parquet(tree / "data/midmix/documents.parquet")
    tables.write(
        pl.concat([old, pl.DataFrame([{"id": passage["kept"], **row}], schema=old.schema)]).sort(
            "id"
        ),
        mix / "documents.parquet",
    )
    leak = {
        "id": OWN["leak"],
        "step": "forkmix",
        "reason": "leak.heldout",
        "value": 0.9,
        "threshold": 0.2,
        "detail": ID["held"],
    }
    tables.write(tables.drops([leak]), mix / "drops.parquet")
    _record(tree)
    return Ledger.load(tree)


def _record(tree: Path) -> None:
    record = json.loads((tree / "records/midmix.json").read_text())
    record |= {
        "step": "forkmix",
        "instance": "mine",
        "output": small_tree._output(tree, "data/forkmix/mine"),
    }
    record["inputs"]["documents"] = {"kind": "source", "path": "forks/mine"}
    record["parts"]["inputs"]["documents"] = "0" * 64
    (tree / "records/forkmix.mine.json").write_text(json.dumps(record))
    for path in (tree / "records").glob("midtrain*.json"):
        changed = json.loads(path.read_text())
        changed["inputs"]["data"]["record"] = "records/forkmix.mine.json"
        changed["inputs"]["data"]["path"] = "data/forkmix/mine"
        path.write_text(json.dumps(changed))


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
        rows = order_of_step(forked, forked.by_name["midtrain.000004"], step)["documents"]
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
            order_of_step(forked, record, 1)


def test_text_is_read_as_text_alone(
    forked: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(forked.root)
    assert main(["trace", "--text", "notes."]) == 1
    listed = capsys.readouterr().out
    assert "4 documents fit" in listed and OWN["late"][:12] in listed and "My late notes." in listed
    assert main(["trace", "--text", OWN["kept"]]) == 1
    assert "no document has the id, URL or text" in capsys.readouterr().err
