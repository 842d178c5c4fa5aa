"""Retired words of docs/STYLE.md stay retired: in pages, docstrings, help and messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    p
    for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob(".github/**/*.md")]
    if p.name != "STYLE.md"  # it names them
)
MODULES = sorted((ROOT / "src/regrow").rglob("*.py"))

IN_PAGES = {
    "mend": r"mend(?:s|ed|ing)?",
    "anew": r"anew",
    "held against": r"held\s+against",
    "is told": r"(?:is|are|be|being)\s+told",
    "lies": r"(?:lies|lie)",
    "that is none": r"that\s+(?:is|are)\s+none",
    "is gone": r"(?:is|are|was|were)\s+gone",
    "nowhere else is": r"what\s+is\s+nowhere",
    "settle": r"settl(?:e|es|ed|ing)",
    "talk": r"talk(?:s|ed|ing)?",
    "document instance": r"document\s+instances?",
    "regrow order": r"regrow\s+(?:order|lineage|settle)",
    "OLMo 3": r"(?-i:OLMo\s+3)",
}
"""word -> pattern, matched as whole words whatever their case"""

IN_CODE = {"held against": IN_PAGES["held against"], "Mend:": r"mend:\s"}

IN_HOUSES = IN_CODE | {
    name: IN_PAGES[name]
    for name in (
        "is told",
        "lies",
        "is gone",
        "settle",
        "talk",
        "document instance",
        "regrow order",
        "OLMo 3",
    )
}
IN_HOUSES["anew"] = r"(?<!`)anew(?!`)"
"""of packages that no step reaches; `anew` is also a name in the JSON of plans, which stays"""
HOUSES = ("cli", "publish", "prove", "change", "ask", "evidence", "engine", "recipe")

ALLOWED = {
    ("src/regrow/prove/segments/chain.py", "lies"),  # there it is a forger who lies
    ("docs/reference/questions.md", "settle"),  # the list of old names of commands
}


def said(text: str, words: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Line and retired word of each occurrence in a text."""
    for word, pattern in words.items():
        for match in re.finditer(rf"\b{pattern}\b", text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, word


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Every string constant of a module with its line: docstrings, help and messages are among them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_page_uses_a_retired_word(page: Path):
    name = str(page.relative_to(ROOT))
    found = [
        f"{name}:{line}: {word}"
        for line, word in said(page.read_text(encoding="utf-8"), IN_PAGES)
        if (name, word) not in ALLOWED
    ]
    assert not found, "retired words (docs/STYLE.md): " + "; ".join(found)


def test_no_docstring_help_or_message_uses_a_retired_word():
    found = [
        f"{name}:{line}: {word}"
        for path in MODULES
        for name in [str(path.relative_to(ROOT))]
        for line, text in strings(path.read_text(encoding="utf-8"))
        for _, word in said(text, IN_HOUSES if name.split("/")[2] in HOUSES else IN_CODE)
        if (name, word) not in ALLOWED and text != word
    ]
    assert not found, "retired words (docs/STYLE.md): " + "; ".join(found)


def test_a_retired_word_is_found_as_a_word_only():
    assert [
        w for _, w in said("It is\nmended; amendments, relies and families are not.", IN_PAGES)
    ] == ["mend"]
    assert list(said("a\nb is\ntold", IN_PAGES)) == [(2, "is told")]
    assert [w for _, w in said("Olmo 3, olmo 3 and OLMo-core stay; OLMo\n3 goes.", IN_PAGES)] == [
        "OLMo 3"
    ]
    assert (
        list(said("The order of Regrow's lineage is `regrow batch`; `unsettled`.", IN_PAGES)) == []
    )
    assert list(said("`regrow order 1`", IN_PAGES)) == [(1, "regrow order")]
    assert [t for _, t in strings('"""One."""\nx = f"two {1}"')] == ["One.", "two "]
