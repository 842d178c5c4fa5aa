"""The definition of the key has a number; records of other definitions are read, and told of as such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import default_flow
from regrow.engine import definition
from regrow.engine.changes import changes
from regrow.engine.jobs import Job
from regrow.engine.records import Book, encode, sound
from small_repository import ROOT, Repository

RECORD = json.loads((ROOT / "records/pack.json").read_text())
NEW = RECORD["parts"]
MIX = Job(default_flow.flow().step("mix"), None, ())
"""as far as a book needs it: the toy has a step of that name"""
SECOND = """\
from regrow.engine import definition
definition.FORMULAS[2] = lambda parts: definition.FORMULAS[1]({**parts, "second": True})
definition.CURRENT = 2
"""
"""`sitecustomize.py`: a Regrow whose keys are of definition 2"""


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ({k: v for k, v in NEW.items() if k != "packages"}, "`packages` is a part of keys now"),
        ({**NEW, "compiler": "13.2"}, "`compiler` is a part of keys no more"),
    ],
)
def test_another_part_of_the_key_is_named(old: dict[str, object], told: str):
    found = [change for change in changes(old, NEW) if change.part == "definition"]
    assert len(found) == 1 and found[0].text.startswith(told)


def test_one_definition_is_not_told_of():
    assert changes(NEW, NEW) == []
    assert [c.part for c in changes({**NEW, "options": {"a": 1}}, NEW)] == ["options"]


def test_a_record_without_a_number_is_of_the_first():
    assert "definition" not in RECORD and definition.of(RECORD) == 1
    assert sound(RECORD) and sound(RECORD | {"definition": 1})


@pytest.mark.parametrize("number", [2, 0, -1, "1", True, None, 1.0, [1]])
def test_a_key_of_an_unknown_definition_is_not_believed(number: object):
    assert not sound(RECORD | {"definition": number})


def test_a_key_follows_by_the_formula_of_its_own_definition(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(definition.FORMULAS, 2, lambda parts: "2" * 64)
    monkeypatch.setattr(definition, "CURRENT", 2)
    assert sound(RECORD), "as it was made"
    assert not sound(RECORD | {"definition": 2}), "a number that its key does not fit"
    assert sound(RECORD | {"definition": 2, "key": "2" * 64})
    assert not sound(RECORD | {"key": "2" * 64})
    assert definition.numbered() == {"definition": 2} and definition.key_of(NEW) == "2" * 64


def test_the_book_says_why_it_does_not_read_one(repository: Repository):
    """Not as damage: nothing is wrong with a record of a newer Regrow."""
    path = repository.path / "records/mix.json"
    record = json.loads(path.read_text())
    assert Book(repository.path).record(MIX) == record
    path.write_bytes(encode(record | {"definition": 7}))
    book = Book(repository.path)
    assert book.record(MIX) is None
    assert "made under definition 7, which this version of Regrow does not know (it knows 1)" in book.fault(MIX)  # fmt: skip
    (reason,) = _reasons(repository)["mix"]
    assert reason["part"] == "trust" and "damaged" not in reason["text"]
    assert "records/mix.json cannot be used: its key was made under definition 7" in reason["text"]


def test_records_of_the_old_definition_under_a_new_one(repository: Repository, tmp_path: Path):
    """`plan` names the definition, a run makes keys of the new one with the same bytes, old records stay."""
    old = Book(repository.path).record(MIX)
    assert old is not None
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer/sitecustomize.py").write_text(SECOND)
    plain = repository.env["PYTHONPATH"]
    repository.env["PYTHONPATH"] = f"{tmp_path / 'newer'}:{plain}"
    told = _reasons(repository)
    assert {reason["text"] for reasons in told.values() for reason in reasons} == {
        "made under definition 1 of the key (now 2): it can be read and compared, but its key is of another kind"
    }
    made = repository.build()
    assert set(made) == {"run"} and set(made["run"]) == set(told)
    new = json.loads(repository.read("records/mix.json"))
    assert new["definition"] == 2 and new["output"] == old["output"] and new["key"] != old["key"]
    assert _reasons(repository) == {}
    assert repository.pending() == []
    # An older Regrow does not know it, says so, and its own result is still in the run cache.
    repository.env["PYTHONPATH"] = plain
    assert "definition 2, which this version" in _reasons(repository)["mix"][0]["text"]
    assert set(repository.build()) == {"hit"}
    assert json.loads(repository.read("records/mix.json")) == old


def _reasons(repository: Repository) -> dict[str, list[dict[str, str]]]:
    """Job -> why its record does not describe the present, where it does not."""
    done = repository.run("regrow", "plan", "--json", **repository.toy_table())
    jobs = json.loads(done.stdout)["jobs"]
    return {job["job"]: job["reasons"] for job in jobs if job["reasons"]}
