"""Every command is documented, and every documented command is one."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from regrow.cli.main import COMMANDS, RENAMED, main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = sorted(name for name, command in COMMANDS.items() if not command.hidden)
ASKED = re.compile(r"(?:`|^)regrow ([a-z]+)", re.MULTILINE)


def questions() -> str:
    """The page of questions, wherever it stands below docs/."""
    (page,) = (p for p in PAGES if p.name == "questions.md")
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHOWN)
def test_a_command_is_in_the_page_of_questions(name: str):
    assert f"`regrow {name}" in questions()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_names_only_commands_that_exist(page: Path):
    named = set(ASKED.findall(page.read_text(encoding="utf-8")))
    assert named <= set(COMMANDS), "docs name a command that does not exist"


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_an_old_name_of_a_command_answers_the_same_with_a_hint(
    old: str, new: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert old not in COMMANDS
    module = importlib.import_module(COMMANDS[new].module)
    # The tree's own answer is other tests' matter: here both names reach one function with the same words.
    monkeypatch.setattr(module, "configure", lambda parser: parser.add_argument("words", nargs="*"))
    monkeypatch.setattr(module, "run", lambda args: print(args.words) or 3)
    answers = []
    for name in (old, new):
        assert main([name, "a", "b"]) == 3
        answers.append(capsys.readouterr())
    assert answers[0].out == answers[1].out == "['a', 'b']\n"
    assert answers[0].err == f"hint: `regrow {old}` is now `regrow {new}`.\n"
    assert answers[1].err == ""
