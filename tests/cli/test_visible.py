"""No control character of a stranger's text reaches a terminal, a page, or the tables of a fork."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.change.fork import documents
from regrow.change.fork.rows import rows
from regrow.cli.guard import guarded
from regrow.cli.main import main
from regrow.cli.paint import CODES
from regrow.engine.remote import Remote
from regrow.engine.store import Store
from regrow.engine.visible import escaped, lines, plain, visible
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.publish.report.page import page
from small_tree import url

HOSTILE = "\x1b[2J\x1b]8;;http://x\x07\r\n\x9b31m\u202egnp.exe\u2028\x7f"


def safe(text: str) -> bool:
    return all(c == "\n" or plain(c) for c in text)


@given(st.text())
def test_what_is_printed_has_nothing_unseen_but_line_ends(text: str):
    assert safe(guarded(text).replace("\t", ""))
    assert "\n" not in visible(text)
    if text.isprintable():
        assert lines(text) == guarded(text) == text


@given(
    st.recursive(st.text() | st.integers(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))
)
def test_escaped_json_is_safe_and_the_same_value(value: Any):
    text = escaped(json.dumps(value, ensure_ascii=False, indent=1))
    assert safe(text)
    assert json.loads(text) == value


def test_the_colours_of_paint_pass_and_no_other_sequence():
    for code in CODES.values():
        assert guarded(f"\x1b[{code}mok\x1b[0m") == f"\x1b[{code}mok\x1b[0m"
    for stranger in (
        "\x1b[8m",
        "\x1b[2J",
        "\x1b[31;5m",
        "\x1b]0;title\x07",
        "\x1bc",
        "\x9b2J",
        "\r",
    ):
        assert "\x1b" not in guarded(stranger) and "⟨U+" in guarded(stranger)


def test_what_a_command_forgets_is_spelt_out_by_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    import sys

    def run(args: Any) -> int:
        print(f"title {HOSTILE}")
        print(f"title {HOSTILE}", file=sys.stderr)
        raise Unanswerable(f"no such thing: {HOSTILE}")

    command: Any = ModuleType("command")
    command.__doc__, command.run, command.configure = "x", run, lambda parser: None
    real = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda n: command if n == "regrow.cli.audit" else real(n)
    )
    assert main(["audit"]) == 1
    said = capsys.readouterr()
    for text in said:
        assert safe(text) and "⟨U+001B⟩[2J" in text and "⟨U+202E⟩" in text
    assert "no such thing" in said.err


def hostile(value: Any) -> Any:
    """Every text of an answer with what must not be printed behind it."""
    if isinstance(value, str):
        return value + HOSTILE if value else value
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    return [hostile(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("words", "module", "name"),
    [
        (["trace", url("joins")], "regrow.ask.trace.answer", "trace"),
        (["trace", "http"], "regrow.ask.trace.answer", "trace"),
        (["batch", "pretrain.000004", "--step", "2"], "regrow.ask.batch", "batch_of_step"),
        (["batch", "sft.000004", "--step", "1"], "regrow.ask.batch", "batch_of_step"),
        (["batch", "rlvr.000004", "--step", "1"], "regrow.ask.batch", "batch_of_step"),
        (["batch", "pretrain.000004"], "regrow.ask.batch", "totals"),
        (["audit", "mix"], "regrow.ask.audit", "audit"),
        (["funnel"], "regrow.ask.funnel.answer", "answer"),
    ],
    ids=str,
)
def test_a_question_shows_hostile_data_on_as_many_lines_as_harmless_data(
    finished: Path, words: list[str], module: str, name: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    """So none of it forges a line of the answer."""
    monkeypatch.chdir(finished)
    monkeypatch.setenv("COLUMNS", "4000")
    main(words)
    before = capsys.readouterr().out
    owner = importlib.import_module(module)
    real = getattr(owner, name)
    answers = []

    def lie(*args: Any) -> Any:
        answer = real(*args)
        kind = answer.get("kind")
        answers.append(hostile(answer) | ({"kind": kind} if kind else {}))
        for match, good in zip(
            answers[-1].get("matches", []), answer.get("matches", []), strict=True
        ):
            match["kind"] = good["kind"]
        for entry, good in zip(
            answers[-1].get("training", []), answer.get("training", []), strict=True
        ):
            entry["kind"] = good["kind"]
        return copy.deepcopy(answers[-1])

    monkeypatch.setattr(owner, name, lie)
    main(words)
    after = capsys.readouterr().out
    assert safe(after) and "⟨U+001B⟩" in after and "⟨U+202E⟩" in after
    if name != "audit":  # which wraps what is long
        assert len(after.splitlines()) == len(before.splitlines())
    main([*words, "--json"])
    out = capsys.readouterr().out
    said = json.loads(out)
    if name == "answer":  # what the guards find stands beside the answer
        assert said.pop("findings")
    assert safe(out) and said == json.loads(json.dumps(answers[-1]))


def test_the_report_spells_out_what_would_turn_it_round(finished: Path):
    ledger = Ledger.load(finished)
    for record in ledger.records:
        record.raw["parts"]["params"]["release"] = {
            "name": f"mine{HOSTILE}",
            "description": HOSTILE,
        }
    text = page(ledger)
    assert safe(text) and "mine⟨U+001B⟩[2J" in text


@pytest.mark.parametrize("column", ["licence", "url", "source"])
@pytest.mark.parametrize("what", ["\x1b[2J", "\n", "\u202e", "\x9b", "\u2028"], ids=ascii)
def test_a_fork_refuses_a_row_that_could_not_be_shown(tmp_path: Path, column: str, what: str):
    good = {
        "text": f"text may hold {HOSTILE}",
        "url": "http://x/ä",
        "licence": "MIT",
        "source": "s",
    }
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps(good | {column: f"a{what}b"}) + "\n")
    with pytest.raises(
        Unanswerable, match=rf"line 2: `{column}` holds U\+00|line 2: `{column}` holds U\+20"
    ) as caught:
        documents.read([path], "me", None)
    assert str(caught.value).isprintable()


def test_the_name_of_a_forks_file_is_spelt_out(tmp_path: Path):
    (tmp_path / "a\x1b[2J.txt").write_text("text")
    ((place, row),) = rows(tmp_path)
    assert place.isprintable() and row["url"].isprintable()


def test_what_a_server_says_of_itself_is_spelt_out(tmp_path: Path):
    remote = Remote(Store(tmp_path))
    remote.trouble = f"401 {HOSTILE}"
    assert remote.trouble.isprintable() and "401 ⟨U+001B⟩[2J" in remote.trouble
