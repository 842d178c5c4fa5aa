"""Records whose keys were made of other parts are read by every question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regrow.cli.main import main
from regrow.engine import definition
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.prove.attest.provenance import Provenance, key_from
from regrow.prove.segments.chain import record_faults
from small_tree import url
from sound_records import write_sound


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "pretrain.000004"],
        ["audit", "mix"],
        ["trace", url("joins")],
        ["batch", "pretrain.000004", "--step", "2"],
        ["explore", "pretrain.000004"],
    ],
)
def test_questions_read_records_of_another_definition(
    tree: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in (tree / "records").glob("*.json"):
        record = json.loads(path.read_text())
        del record["parts"]["packages"]
        record["parts"]["compiler"] = "13.2"
        write_sound(path, record)
    monkeypatch.chdir(tree)
    assert main(words) in (0, 1)  # 1: an audit finds that the small tree's code is not this one's
    assert "Traceback" not in capsys.readouterr().err


def test_an_unknown_definition_is_named_by_the_audit_and_attested_by_nobody(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a newer Regrow recorded is read; that its key cannot be checked here is said."""
    path = tree / "records/mix.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"definition": 9}))
    monkeypatch.chdir(tree)
    assert main(["audit", "mix"]) == 1
    said = capsys.readouterr().out
    assert "of definition 9" in said and "made under definition 9, which this version" in said
    ledger = Ledger.load(tree)
    with pytest.raises(Unanswerable, match=r"nothing was attested.*definition 9"):
        Provenance(ledger, resolve(ledger, "mix")).statement()
    (fault,) = (
        text for text in record_faults(ledger, ledger.by_file["records/mix.json"]) if "key" in text
    )
    assert "definition 9" in fault


def test_a_provenance_says_its_definition_and_is_checked_by_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(definition.FORMULAS, 2, lambda parts: definition.FORMULAS[1](parts)[::-1])
    path = tree / "records/mix.json"
    record = json.loads(path.read_text()) | {"definition": 2}
    write_sound(path, record)
    ledger = Ledger.load(tree)
    made = Provenance(ledger, resolve(ledger, "mix")).statement()
    claimed, follows = key_from(made["predicate"])
    assert claimed == follows == definition.key_of(record["parts"], 2)
    del made["predicate"]["buildDefinition"]["internalParameters"]["definition"]
    claimed, follows = key_from(made["predicate"])
    assert claimed != follows, "it is told from one of the first definition"
    made["predicate"]["buildDefinition"]["internalParameters"]["definition"] = 3
    with pytest.raises(Unanswerable, match="does not know"):
        key_from(made["predicate"])
