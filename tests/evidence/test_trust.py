"""Questions read no bytes that the records do not vouch for."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from regrow.cli.main import main
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from small_tree import url


def test_a_changed_table_is_refused_by_the_question(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tree)
    assert main(["trace", url("joins"), "--json"]) == 0
    good = capsys.readouterr().out
    path = tree / "data/dedup/documents.parquet"
    content, stat = path.read_bytes(), path.stat()
    at = len(content) // 2
    forged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    with path.open("r+b") as handle:  # the inode, the size and the modification time stay
        handle.write(forged)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert main(["trace", url("joins"), "--json"]) != 0
    said = capsys.readouterr().err
    assert "data/dedup/documents.parquet is not what records/dedup.json says" in said
    assert f"expected sha256 {hashlib.sha256(content).hexdigest()}" in said
    assert f"found {hashlib.sha256(forged).hexdigest()}" in said
    path.write_bytes(content)
    assert main(["trace", url("joins"), "--json"]) == 0
    assert capsys.readouterr().out == good


def test_a_file_that_no_record_names_is_not_read(tree: Path):
    stray = tree / "data/dedup/stray.json"
    stray.write_text(json.dumps({"read": "me"}))
    assert Outputs(Ledger.load(tree)).json("dedup", "stray.json") is None


def test_a_tree_that_may_only_be_read_is_answered(tree: Path, monkeypatch: pytest.MonkeyPatch):
    from regrow.engine import files

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(files, "write_atomically", refuse)
    outputs = Outputs(Ledger.load(tree))
    assert outputs.path("dedup", "documents.parquet") is not None
    (tree / "data/mix/mix.parquet").write_bytes(b"forged")
    with pytest.raises(Unanswerable, match=r"records/mix\.json"):
        outputs.path("mix", "mix.parquet")
