"""Every command is documented, and every documented command is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regrow.cli.main import COMMANDS

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
