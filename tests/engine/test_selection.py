"""Patterns and parts of files as one path: what is selected, what counts in the key, what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow import selection
from regrow.engine.errors import FlowError
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree

NAMES = [
    "a.md",
    "b.txt",
    "deep/c.md",
    "deep/er/d.md",
    "deep/e[1].md",
    ".git/config.md",
    "deep/LICENSE",
    "x+y.md",
]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("n", ["a.md", "b.txt", "deep/LICENSE", "deep/c.md", "deep/e[1].md", "deep/er/d.md", "x+y.md"]),
        ("n/*.md", ["a.md", "x+y.md"]),
        ("n/**/*.md", ["a.md", "deep/c.md", "deep/e[1].md", "deep/er/d.md", "x+y.md"]),
        ("n/deep/**", ["LICENSE", "c.md", "e[1].md", "er/d.md"]),
        ("n/[!b]*", ["a.md", "x+y.md"]),
        ("n/?.*", ["a.md", "b.txt"]),
        ("n/*/*.md", ["deep/c.md", "deep/e[1].md"]),
        ("n/a.md", ["a.md"]),
    ],
)  # fmt: skip
def test_what_a_path_selects(path: str, found: list[str], tmp_path: Path) -> None:
    root = tmp_path / "a [strange] c++#001of002 root"
    for name in NAMES:
        (root / "n" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "n" / name).write_text(name)
    assert [name for name, _ in selection.files(root / path)] == found
    assert all(file.is_file() for _, file in selection.files(root / path))


def test_what_is_read_beside_counts_in_every_part(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / "n" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "n" / name).write_text(name)
    parts = [f"n/**/*.md#{selection.instance(part, 3)}+*LICEN[CS]E*" for part in range(3)]
    before = [_digest(tmp_path, path) for path in parts]
    assert all("deep/LICENSE" in FileTree(tmp_path, path).listing() for path in parts)
    assert not any("deep/LICENSE" in dict(selection.files(tmp_path / path)) for path in parts)
    (tmp_path / "n/deep/LICENSE").write_text("another")
    assert all(a != b for a, b in zip(before, (_digest(tmp_path, p) for p in parts), strict=True))


def _digest(root: Path, path: str) -> str:
    return source_digest(FileTree(root, path, reread=True), path)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.text("abcdef/.", min_size=1, max_size=12)), st.integers(1, 9))
def test_parts_are_disjoint_and_make_up_the_whole(names: set[str], parts: int) -> None:
    each = [
        selection.parse(f"n#{selection.instance(part, parts)}").chosen(names)
        for part in range(parts)
    ]
    assert sorted(name for part in each for name in part) == sorted(names)


def test_a_pattern_that_finds_nothing_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n/LICENSE").write_text("x")
    for path in ("n/*.md", "n/*.md#000of002", "n/*.md+LICENS?"):
        with pytest.raises(FlowError, match=r"n/\*\.md finds no file in n/"):
            _digest(tmp_path, path)
    with pytest.raises(FlowError, match="m is missing"):
        _digest(tmp_path, "m")


def test_a_part_may_be_empty_where_another_is_not(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n/one.md").write_text("x")
    digests = [_digest(tmp_path, f"n#{selection.instance(part, 4)}") for part in range(4)]
    assert len(set(digests)) == 2
