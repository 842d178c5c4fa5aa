"""The files of a source whose path is a pattern or a part, at a commit and in the working tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from regrow.ask.diff import objects
from regrow.ask.diff.side import Side
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree
from regrow.selection import part_of

GIT = (
    "git",
    "-c",
    "user.name=Test",
    "-c",
    "user.email=test@example.org",
    "-c",
    "commit.gpgsign=false",
)
FILES = {
    "a/one.md": "1\n",
    "a/two.txt": "2\n",
    "b/three.md": "3\n",
    "four.md": "4\n",
    ".gitignore": "/big\n",
}


def git(root: Path, *args: str) -> str:
    return subprocess.run(
        [*GIT, *args], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "start")
    return tmp_path


def side(root: Path, commit: str) -> Side:
    """A side of which only its sources are asked for."""
    made = Side.__new__(Side)
    made.root, made.commit = root, commit
    return made


MD = {"a/one.md", "b/three.md", "four.md"}
ALL = {*MD, "a/two.txt"}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("corpus", ALL),
        ("corpus/**/*.md", MD),
        ("corpus/a/*", {"one.md", "two.txt"}),
        ("corpus/four.md", {""}),
        *[
            (f"corpus/**/*.md#{n:03d}of003", {m for m in MD if part_of(m, 3) == n})
            for n in range(3)
        ],
    ],
)
def test_both_sides_find_the_files_that_the_runner_counts(
    corpus: Path, path: str, names: set[str]
) -> None:
    recorded = source_digest(FileTree(corpus, path), path)
    commit = git(corpus, "rev-parse", "HEAD")
    now, then = (side(corpus, at).source(path, recorded) for at in ("", commit))
    assert now is not None and set(now) == names and then == now
    assert side(corpus, commit).source(path, "0" * 64) is None


def test_a_file_that_changed_since_the_commit_is_read_as_it_was(corpus: Path) -> None:
    path, commit = "corpus/**/*.md", git(corpus, "rev-parse", "HEAD")
    recorded = source_digest(FileTree(corpus, path), path)
    (corpus / "corpus/a/one.md").write_text("other\n")
    assert side(corpus, "").source(path, recorded) is None
    then = side(corpus, commit).source(path, recorded)
    assert then is not None and set(then) == MD
    assert objects.read(corpus, commit, path)["corpus/a/one.md"] == b"1\n"
    assert objects.walk(corpus, path)["corpus/a/one.md"] == b"other\n"
