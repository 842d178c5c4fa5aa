from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from determinism import run_twice
from regrow.data.tables import parquet as tables
from regrow.learn.tasks import step
from regrow.learn.tasks.families import FAMILIES
from regrow.learn.tasks.split import SPLITS
from regrow.learn.verifiers.judge import judge
from regrow.params.posttrain import Tasks

PARAMS = Tasks(train=150, dev=10, test=20)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("tasks")
    counts = step.run({}, SimpleNamespace(tasks=PARAMS), output)
    assert counts == {
        name: dict.fromkeys(sorted(FAMILIES), getattr(PARAMS, name)) for name in SPLITS
    }
    return output


def test_tables_are_sorted_and_share_nothing(made: Path) -> None:
    ids: set[str] = set()
    contents: set[tuple[str, str]] = set()
    questions: set[str] = set()
    for name in SPLITS:
        frame = tables.read(made / f"{name}.parquet")
        assert dict(frame.schema) == step.SCHEMA
        assert frame["id"].to_list() == sorted(frame["id"])
        own = set(frame.select("family", "content").iter_rows())
        assert not contents & own
        assert not questions & set(frame["question"])
        assert not ids & set(frame["id"])
        contents |= own
        questions |= set(frame["question"])
        ids |= set(frame["id"])
        if name != "train":
            assert len(own) == frame.height == frame["question"].n_unique()


def test_every_row_passes_its_verifier_as_read_back(made: Path) -> None:
    domains = {"math": 0, "string": 0, "instruction": 0}
    for name in SPLITS:
        for row in tables.read(made / f"{name}.parquet").to_dicts():
            domains[row["domain"]] += 1
            text = f"<think> {row['trace']}</think> {row['answer']}<|end|>"
            assert judge(row["verifier"], json.loads(row["arguments"]), text, "think").passed
            assert bool(row["tools"]) == bool(row["tool_call"])
    assert all(domains.values())


def test_a_family_that_errs_is_found_out(monkeypatch, tmp_path: Path) -> None:
    family = FAMILIES["add"]

    def wrong(item):
        task = family.draw(item)
        return type(task)(**{**task.__dict__, "answer": "1"})

    broken = type(family)("add", "math", wrong, family.wordings, family.slots)
    monkeypatch.setitem(FAMILIES, "add", broken)
    with pytest.raises(ValueError, match=r"add: '.*': answer: '1', expected"):
        step.run({}, SimpleNamespace(tasks=PARAMS), tmp_path)


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.posttrain import Tasks
from regrow.learn.tasks import step
step.run({}, SimpleNamespace(tasks=Tasks(train=60, dev=5, test=9)), Path(sys.argv[1]))
"""


def test_same_bytes_in_other_circumstances(tmp_path: Path) -> None:
    assert len(run_twice(CODE, tmp_path)) == 3
