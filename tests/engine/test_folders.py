"""Many parts of a folder: found as each by itself, in one walk, remembered in one file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regrow import selection
from regrow.engine import hashing, state
from regrow.engine.errors import FlowError
from regrow.engine.folders import Folders
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree

PARTS = 7
WHOLE = ("corpus", "corpus/**/*.txt", "corpus/a/*.txt", "corpus/**/*.none", "corpus/a/0.txt", "no")
SPLIT = ("corpus", "corpus/**/*.txt", "corpus/**/*.txt+*LICENCE*|*COPYING*")
PATHS = [*WHOLE, *(f"{path.partition('+')[0]}#{selection.instance(n, PARTS)}{path[len(path.partition('+')[0]):]}" for path in SPLIT for n in range(PARTS))]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for n in range(40):
        for name in (f"a/{n}.txt", f"b/c/{n}.md", f"b/c/{n}.txt"):
            path = tmp_path / "corpus" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (1, 1))
    for name in ("LICENCE", "b/COPYING", ".git/config", "a/1.txt.dvc"):
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def _found(tree: FileTree, path: str) -> object:
    try:
        return list(tree.listing()), source_digest(tree, path)
    except FlowError as error:
        return str(error)


def test_every_path_is_found_as_by_itself(root: Path):
    folders = Folders(root)
    for path in PATHS:
        assert _found(folders.tree(path), path) == _found(FileTree(root, path), path), path


def test_all_parts_are_found_in_one_walk_and_remembered_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    walks: list[Path] = []
    real = state.walk
    monkeypatch.setattr("regrow.engine.folders.walk", lambda path: walks.append(path) or real(path))  # fmt: skip
    monkeypatch.setattr(state, "walk", lambda path: pytest.fail("a part was walked by itself"))
    # What is known is known of files that have been left alone for a while.
    monkeypatch.setattr(state.files, "settled", lambda stat: True)
    many = [f"corpus/**/*.txt#{selection.instance(n, 500)}" for n in range(500)]
    folders = Folders(root)
    first = [source_digest(folders.tree(path), path) for path in many]
    assert len(walks) == 1
    assert not list(root.rglob("corpus.json"))
    folders.save()
    assert len(list(root.rglob("corpus.json"))) == 1
    monkeypatch.setattr(state, "digest_file", lambda path: pytest.fail("a file was read again"))
    again = Folders(root)
    assert [source_digest(again.tree(path), path) for path in many] == first
    # Of 500 parts of 80 files most are empty; all of these are one and the same.
    assert len(set(first)) > 40 and first.count(hashing.tree_sha256({}, many[0])) > 400
