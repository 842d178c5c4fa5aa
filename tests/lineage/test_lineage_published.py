"""Questions about the run whose records this repository publishes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from determinism import ROOT
from regrow.lineage.audit import audit
from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Ledger
from regrow.lineage.naming import resolve
from regrow.lineage.rebuild.commit import git


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the last commit; skipped where that publishes no records."""
    try:
        listed = git(ROOT, "ls-tree", "--name-only", "HEAD", "records/").decode().split()
    except Unanswerable as error:
        pytest.skip(f"needs a git checkout: {error}")
    if "records/filter.json" not in listed:
        pytest.skip("the last commit publishes no records")
    folder = tmp_path_factory.mktemp("clone")
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(folder))
    return folder


_ASKED = re.compile(
    r"regrow (?:audit|order|rebuild|diff|attest|explain|chat|fork|verify)((?: [a-z0-9][\w.@-]*)+)"
)


@pytest.mark.parametrize(
    "file", ["README.md", *sorted(p.name for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_artifact_that_the_documents_ask_about_is_there(clone: Path, file: str) -> None:
    """What a newcomer types: by name, path or hash, of the records beside it."""
    ledger = Ledger.load(clone)
    text = (ROOT / ("" if file == "README.md" else "docs") / file).read_text()
    named = {word.partition("@")[0] for words in _ASKED.findall(text) for word in words.split()}
    for name in sorted(named):
        assert resolve(ledger, name), name


def test_the_published_chain_holds_together_without_any_data(clone: Path) -> None:
    ledger = Ledger.load(clone)
    last = ledger.of_step("release")[-1]
    answer = audit(ledger, resolve(ledger, last.sha256[:12]))
    assert answer["problems"] == []
    assert {step["step"] for step in answer["steps"]} >= {"crawl", "dedup", "pack", "pretrain"}
    assert all(source["licence"] != "unknown" for source in answer["sources"])


@pytest.mark.workflow
@pytest.mark.timeout(900)
def test_published_documents_rebuild_from_their_hash(clone: Path) -> None:
    digest = Ledger.load(clone).by_name["filter"].sha256
    command = [sys.executable, "-m", "regrow.cli.main", "rebuild", digest[:16], "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, "--cores", "1"], cwd=clone, env=environment, capture_output=True, text=True
    )
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"], answer["of"]) == (0, "equal", 3), answer
