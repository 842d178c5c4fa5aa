"""Every relative link, anchor and file that README, CONTRIBUTING and the like and docs name is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
    ROOT / "evals/README.md",
    *DOCS,
]
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""pages about what is; the changelog also names what was"""
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
MENTION = re.compile(r"`?\b(docs/[\w./-]+\.(?:md|png))\b")
PLACE = re.compile(r"`((?:src/regrow|tests|workflow)/[\w./-]+|benchmarks/\w+\.py)`")
"""a place in this repository as pages write it; one with NAME in it is yet to be made"""
NOT_OURS = re.compile(r"https?:|mailto:")


def links(text: str) -> Iterator[tuple[int, str]]:
    """Line and target of each link outside code; targets elsewhere on the web are left out."""
    blanked = FENCE.sub(lambda m: "\n" * m.group().count("\n"), text)
    blanked = CODE.sub(lambda m: "x" * len(m.group()), blanked)
    for match in LINK.finditer(blanked):
        if not NOT_OURS.match(match.group(1)):
            yield blanked.count("\n", 0, match.start()) + 1, match.group(1)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that forges make of headings: lower case, without punctuation, - for spaces."""
    found: set[str] = set()
    for line in FENCE.sub("", page.read_text(encoding="utf-8")).splitlines():
        if match := re.match(r"#{1,6} +(.*)", line):
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1))
            slug = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            number = 0
            while (anchor := slug if not number else f"{slug}-{number}") in found:
                number += 1
            found.add(anchor)
    return frozenset(found)


def fault(page: Path, target: str) -> str:
    """What is wrong with a link on a page, or nothing."""
    path, _, anchor = unquote(target).partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.is_relative_to(ROOT) or not file.exists():
        return "no such file"
    if anchor and (file.suffix != ".md" or anchor not in anchors(file)):
        return "no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path):
    found = [
        f"line {line}: {target}: {why}"
        for line, target in links(page.read_text(encoding="utf-8"))
        if (why := fault(page, target))
    ]
    assert not found, "; ".join(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_of_docs_that_is_only_mentioned_is_there(page: Path):
    named = set(MENTION.findall(page.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).is_file()} == set()


@pytest.mark.parametrize("page", PRESENT, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_of_the_code_that_a_page_names_is_there(page: Path):
    named = set(PLACE.findall(page.read_text(encoding="utf-8")))
    assert {n for n in named if "NAME" not in n and not (ROOT / n).exists()} == set()


def test_comments_and_docstrings_mention_pages_that_are_there():
    files = [
        ROOT / "Snakefile",
        ROOT / "Makefile",
        ROOT / "sources/manifest.yaml",
        *(ROOT / "params").glob("*.yaml"),
    ]
    for folder in ("src/regrow", "workflow", "tests"):
        files += [
            p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".smk", ".yaml", ".txt")
        ]
    named = {
        (str(file.relative_to(ROOT)), page)
        for file in files
        if file != Path(__file__).resolve()
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text(encoding="utf-8"))
    }
    wrong = {(file, page) for file, page in named if not (ROOT / page).is_file()}
    assert wrong == set()


def test_the_index_links_every_page_of_docs():
    index = ROOT / "docs/README.md"
    reached = {
        (index.parent / target.partition("#")[0]).resolve()
        for _, target in links(index.read_text(encoding="utf-8"))
    }
    assert set(DOCS) - {index} <= reached


def test_what_is_no_link_is_none_and_what_is_broken_is_found():
    text = "```\n[a](no.md)\n```\n`[b](no.md)` [c](https://x.example/) [d](no.md) [e](#none)\n"
    assert list(links(text)) == [(4, "no.md"), (4, "#none")]
    page = ROOT / "docs/README.md"
    assert [fault(page, target) for target in ("no.md", "#none", "../../x", "#reference-look-it-up")] == [
        "no such file", "no such heading", "no such file", "",
    ]  # fmt: skip
