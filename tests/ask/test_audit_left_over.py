"""An artifact of an instance that the params no longer ask for is said to be left over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import small_tree
from regrow.ask.audit import audit
from regrow.cli.main import main
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve


def write(root: Path, file: str = "demo", **rlvr: Any) -> None:
    """The params of the small tree, but for `rlvr`; JSON is YAML."""
    values = small_tree.params().model_dump(mode="json")
    values["rlvr"] |= rlvr
    (root / "params").mkdir(exist_ok=True)
    (root / "params" / f"{file}.yaml").write_text(json.dumps(values))


def said(root: Path, name: str) -> list[str]:
    ledger = Ledger.load(root)
    found: list[str] = audit(ledger, resolve(ledger, name))["left_over"]
    return found


def test_what_the_params_ask_for_is_not_left_over(tree: Path) -> None:
    assert said(tree, "rlvr") == [], "without a params file nothing is known"
    write(tree)
    for name in ("rlvr", "rlvr.000002", "mix", "release.rlvr-000004"):
        assert said(tree, name) == []
    (tree / "params/demo.yaml").write_text("rlvr: 7")
    assert said(tree, "rlvr") == [], "nor from one that cannot be read"


def test_a_checkpoint_that_the_params_no_longer_ask_for(tree: Path) -> None:
    write(tree, steps=2)
    assert said(tree, "rlvr") == [
        "rlvr.000004 is left over: params/demo.yaml does not ask for it; a run of `snakemake` under it removes "
        "its record and data. hint: `regrow audit rlvr.000002`."
    ]
    assert said(tree, "rlvr.000002") == []
    assert len(said(tree, "rlvr.000004")) == 1
    chain = [line.split(" ")[0] for line in said(tree, "release.rlvr-000004")]
    assert chain == ["rlvr.000004", "evaluate.rlvr-000004", "release.rlvr-000004"]


def test_a_stage_of_which_nothing_asked_for_is_there(tree: Path) -> None:
    write(tree, steps=3, checkpoint_every=3)
    lines = said(tree, "rlvr")  # the second was trained on from the first
    assert [line.split(" ")[0] for line in lines] == ["rlvr.000002", "rlvr.000004"]
    assert not any("hint" in line for line in lines)


def test_another_params_file_that_asks_for_all_of_it_is_named_once(tree: Path) -> None:
    write(tree, steps=2)
    write(tree, "large")
    write(tree, "small", steps=2)
    assert said(tree, "release.rlvr-000004") == [
        "release.rlvr-000004 and 2 more of these records: params/large.yaml asks for what is here, params/demo.yaml "
        "does not. A run of `snakemake` without `--configfile params/large.yaml` removes record and data."
    ]


def test_another_params_file_that_asks_for_a_part_is_named_beside_it(tree: Path) -> None:
    write(tree, steps=3, checkpoint_every=3)
    write(tree, "small", steps=2)
    lines = said(tree, "rlvr")
    assert (
        "rlvr.000002 is left over: params/demo.yaml does not ask for it (params/small.yaml does)"
        in lines[0]
    )
    assert "does)" not in lines[1]


def test_the_command_says_so_before_the_chain(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tree, steps=2)
    monkeypatch.chdir(tree)
    assert main(["audit", "rlvr"]) == 0
    text = capsys.readouterr().out
    assert 0 < text.index("rlvr.000004 is left over") < text.index("sources")
    assert main(["audit", "rlvr", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["left_over"]) == 1
