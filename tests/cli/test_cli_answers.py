"""How the command line writes answers, and how it starts and ends."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.cli.answer_json import written
from regrow.cli.main import main
from regrow.cli.paint import columns

value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), value | st.lists(st.dictionaries(st.text(), value), max_size=4)))
def test_an_answer_is_the_json_of_its_value(answer: dict[str, object]) -> None:
    text = written(answer)
    assert json.loads(text) == answer
    assert json.dumps(json.loads(text)) == json.dumps(answer), "in the same order"


def test_a_row_is_a_line() -> None:
    rows = [{"id": "a", "tokens": 1}, {"id": "é\n", "of": [1, {"b": 2}]}]
    assert written({"step": 3, "documents": rows, "none": []}).splitlines() == [
        "{",
        '  "step": 3,',
        '  "documents": [',
        '    {"id": "a", "tokens": 1},',
        '    {"id": "é\\n", "of": [1, {"b": 2}]}',
        "  ],",
        '  "none": []',
        "}",
    ]


@pytest.mark.parametrize("asked", [None, "", "57", "0", "-3", "x"])
def test_the_width_is_that_of_the_standard_library(
    asked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if asked is not None:
        monkeypatch.setenv("COLUMNS", asked)
    assert columns(91) == shutil.get_terminal_size((91, 24)).columns
    monkeypatch.setattr(sys, "__stdout__", None)
    assert columns(91) == shutil.get_terminal_size((91, 24)).columns


def test_only_a_process_of_its_own_ends_without_a_search_for_garbage(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called from Python nothing stays changed; as a program, what it printed is all there."""
    monkeypatch.chdir(finished)
    question = ["batch", "pretrain.000004", "--step", "2", "--json"]
    before = gc.get_threshold(), gc.get_freeze_count()
    assert main(question) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
    answer = capsys.readouterr().out
    command = [sys.executable, "-m", "regrow.cli.main", *question]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == answer and done.stderr == ""
