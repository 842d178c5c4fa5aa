"""What `dvc add` writes beside a source file moves no key; everything else below a source does."""

from __future__ import annotations

from pathlib import Path

import pytest

from regrow.engine.present import source_digest
from regrow.engine.state import FileTree, beside


def digest(root: Path) -> str:
    return source_digest(FileTree(root, "sources", reread=True), "sources")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("foreign/x.warc.gz.dvc", False),
        ("foreign/.gitignore", False),
        (".gitignore", False),
        ("foreign/y.warc.gz", True),
        ("foreign/x.dvc.yaml", True),
        ("foreign/gitignore", True),
        ("foreign/.gitignore/x", True),
    ],
)
def test_only_files_that_dvc_wrote_beside_a_source_do_not_count(
    tmp_path: Path, name: str, counts: bool
) -> None:
    (tmp_path / "sources/foreign").mkdir(parents=True)
    (tmp_path / "sources/foreign/x.warc.gz").write_bytes(b"x")
    before = digest(tmp_path)
    path = tmp_path / "sources" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("outs: []\n")
    assert (digest(tmp_path) != before) is counts
    assert beside(name) is not counts
