"""A stage named alone is its last checkpoint that the params ask for; what an older recipe left is passed over aloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import small_tree
from regrow.evidence.ledger import Ledger
from regrow.evidence.left_over import grown_under
from regrow.evidence.naming import resolve
from sound_records import write_sound


def write(root: Path, file: str = "demo", **rlvr: Any) -> None:
    """The params of the small tree, whose RL has checkpoints of steps 2 and 4, but for `rlvr`; JSON is YAML."""
    values = small_tree.params().model_dump(mode="json")
    values["rlvr"] |= rlvr
    (root / "params").mkdir(exist_ok=True)
    (root / "params" / f"{file}.yaml").write_text(json.dumps(values))


def test_a_left_over_checkpoint_is_passed_over_aloud(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tree, steps=2)
    found = resolve(Ledger.load(tree), "rlvr")
    assert found.record.name == "rlvr.000002"
    assert [record.name for record in found.passed_over] == ["rlvr.000004"]
    assert capsys.readouterr().err == (
        "regrow: `rlvr` is rlvr.000002 here, the last that params/demo.yaml asks for. Left over are `rlvr.000004`: "
        "name one to ask about it.\n"
    )
    named = resolve(Ledger.load(tree), "rlvr-step4")
    assert (named.record.name, named.passed_over) == ("rlvr.000004", ())
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "rlvr",
    [
        pytest.param({}, id="it is asked for"),
        pytest.param({"steps": 3, "checkpoint_every": 3}, id="none of the stage is"),
        pytest.param({"steps": -1}, id="the params cannot be read"),
    ],
)
def test_else_it_is_the_last(
    tree: Path, capsys: pytest.CaptureFixture[str], rlvr: dict[str, int]
) -> None:
    assert resolve(Ledger.load(tree), "rlvr").record.name == "rlvr.000004"
    write(tree)
    file = tree / "params/demo.yaml"
    values = json.loads(file.read_text())
    values["rlvr"] |= rlvr
    file.write_text(json.dumps(values))
    assert resolve(Ledger.load(tree), "rlvr").record.name == "rlvr.000004"
    assert capsys.readouterr().err == ""


def test_a_tree_that_was_grown_under_another_params_file_keeps_its_last(tree: Path) -> None:
    write(tree, steps=2)
    write(tree, "large")
    assert resolve(Ledger.load(tree), "rlvr").record.name == "rlvr.000004"
    record = json.loads((tree / "records/rlvr.000004.json").read_text())
    data = next(
        k for k, v in record["inputs"].items() if v.get("record") == "records/rlvr.000002.json"
    )
    record["parts"]["inputs"][data] = "0" * 64
    write_sound(tree / "records/rlvr.000004.json", record)
    ledger = Ledger.load(tree)
    assert ledger.broken(ledger.by_name["rlvr.000004"])
    assert resolve(ledger, "rlvr").record.name == "rlvr.000002"


def test_the_params_say_nothing_of_records_of_another_commit(tree: Path) -> None:
    write(tree, steps=2)
    there = Ledger.load(tree)
    assert resolve(there.sound(), "rlvr").record.name == "rlvr.000002"
    assert resolve(Ledger(tree, there.records), "rlvr").record.name == "rlvr.000004"


def test_the_file_that_a_tree_was_grown_under(tree: Path) -> None:
    assert grown_under(Ledger.load(tree)) == "params/demo.yaml", (
        "without a file nothing else is known"
    )
    write(tree)
    write(tree, "large")
    assert grown_under(Ledger.load(tree)) == "params/demo.yaml"
    write(tree, steps=2)
    assert grown_under(Ledger.load(tree)) == "params/large.yaml"
    write(tree, "large", steps=2)
    assert grown_under(Ledger.load(tree)) == "params/demo.yaml", "none asks for all records"
