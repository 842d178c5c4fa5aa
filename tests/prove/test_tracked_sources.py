"""Sources that DVC tracks are laid into the folder of a rebuild from the workspace, and checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from regrow.engine.present import source_digest
from regrow.engine.state import FileTree
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.prove.rebuild.tracked import lay_tracked

PATHS = ("corpus/**/*.md#000of002", "corpus/**/*.md#001of002")


def read(root: Path) -> list[Record]:
    """Records of two jobs that read half of the files each, as far as they are asked for."""
    return [
        Record(
            f"records/read_notes.00{n}of002.json",
            {
                "inputs": {
                    "files.000": {"kind": "source", "path": path},
                    "text": {"kind": "data", "path": "data/x"},
                },
                "parts": {"inputs": {"files.000": source_digest(FileTree(root, path), path)}},
            },
        )
        for n, path in enumerate(PATHS)
    ]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    root = tmp_path / "here"
    for n in range(5):
        path = root / f"corpus/{'ab'[n % 2]}/{n}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"note {n}\n")
    (root / "corpus/a/aside.txt").write_text("no note\n")
    return root


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The clone: git has the `.dvc` file alone."""
    place = tmp_path / "clone"
    place.mkdir()
    (place / "corpus.dvc").write_text("outs: []\n")
    return place


def test_the_files_that_were_read_are_copied_and_no_others(here: Path, place: Path) -> None:
    assert lay_tracked(here, place, read(here)) == list(PATHS)
    found = {
        p.relative_to(place).as_posix()
        for p in place.rglob("*.*")
        if p.is_file() and ".regrow" not in p.parts
    }
    assert found == {"corpus.dvc", *(f"corpus/{'ab'[n % 2]}/{n}.md" for n in range(5))}
    assert lay_tracked(here, place, read(here)) == []


def test_files_that_are_tracked_one_by_one_are_copied_too(here: Path, place: Path) -> None:
    (place / "corpus.dvc").unlink()
    (place / "corpus/a").mkdir(parents=True)
    (place / "corpus/a/0.md.dvc").write_text("outs: []\n")
    assert lay_tracked(here, place, read(here)) == list(PATHS)


@pytest.mark.parametrize("spoil", ["changed", "removed"])
def test_other_bytes_are_refused_with_the_way_to_get_them(
    here: Path, place: Path, spoil: str
) -> None:
    chain = read(here)
    note = here / "corpus/a/0.md"
    note.write_text("another\n") if spoil == "changed" else note.unlink()
    with pytest.raises(
        Unanswerable, match=r"corpus/\*\*/\*\.md#00\dof002: DVC tracks it.*dvc checkout corpus\.dvc"
    ):
        lay_tracked(here, place, chain)


def test_what_git_tracks_is_the_commit_s_own(here: Path, place: Path) -> None:
    (place / "corpus.dvc").unlink()
    assert lay_tracked(here, place, read(here)) == []
    assert not (place / "corpus").exists()
