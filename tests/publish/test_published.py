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
from real_repository import kernels
from regrow.ask.audit import audit
from regrow.engine.plan import plan
from regrow.engine.present import Present
from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.publish.hub import store


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
    kernels(folder)
    return folder


@pytest.fixture(scope="module")
def ledger(clone: Path) -> Ledger:
    """Its records, read once."""
    return Ledger.load(clone)


_ASKED = re.compile(
    r"regrow (?:audit|order|rebuild|diff|attest|explain|chat|fork|verify)((?: [a-z0-9][\w.@/-]*)+)"
)

# Pages whose figures are of a run under another recipe than the published one.
_OF_RECIPE = {"docs/guides/small.md": "params/small.yaml"}


@pytest.mark.parametrize(
    "file",
    [
        "README.md",
        # What tamper.md asks is asked of the small flow of the tests.
        *sorted(
            name
            for path in (ROOT / "docs").rglob("*.md")
            if (name := str(path.relative_to(ROOT))) not in _OF_RECIPE and path.name != "tamper.md"
        ),
    ],
)
def test_every_artifact_that_the_documents_ask_about_is_there(ledger: Ledger, file: str) -> None:
    """What a newcomer types: by name, path or hash, of the records beside it."""
    for name in _named(file):
        assert resolve(ledger, name), name


@pytest.mark.parametrize("file", sorted(_OF_RECIPE))
def test_a_page_about_another_recipe_asks_about_artifacts_of_that_recipe(file: str) -> None:
    jobs = plan(Present(ROOT, _OF_RECIPE[file]))["jobs"]
    made = {name for job in jobs for name in (job["job"], job["step"])}
    named = _named(file)
    assert named and made.issuperset(named)


def _named(file: str) -> list[str]:
    text = (ROOT / file).read_text()
    return sorted(
        {word.partition("@")[0] for words in _ASKED.findall(text) for word in words.split()}
    )


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


def run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of the environment in the clone, as a newcomer types it after `make env`."""
    tool = Path(sys.executable).parent / command[0]
    return subprocess.run(
        [str(tool), *command[1:]],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone / "src"), "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_store_in_git_is_that_of_the_records(clone: Path) -> None:
    ledger = Ledger.load(clone)
    assert store.faults(ledger) == []
    assert sum(item.size for item in store.items(ledger)) <= store.CEILING


def test_a_newcomer_pulls_a_release_and_asks_about_it_without_training(clone: Path) -> None:
    ledger = Ledger.load(clone)
    (release,) = [r.record for r in store.finals(ledger) if r.name.startswith("rlvr")]
    pulled = run(clone, "dvc", "pull", release.path)
    assert pulled.returncode == 0, pulled.stderr
    here = {p.name for p in (clone / release.path).iterdir()}
    assert here == {entry["path"] for entry in release.files}
    said = run(clone, "regrow", "chat", "rlvr", "--temperature", "0", "--once", "What is 3 + 4?")
    assert (said.returncode, said.stdout) == (0, "7\n"), said.stderr
    equal = run(clone, "regrow", "verify", release.path)
    assert (equal.returncode, equal.stdout) == (
        0,
        "1 of 1 artifacts equal to the published hashes\n",
    )
    assert run(clone, "regrow", "verify", "data/nothing").returncode == 1
    audited = run(clone, "regrow", "audit", release.name)
    assert audited.returncode == 0, audited.stderr
    whole = run(clone, "dvc", "pull")
    assert whole.returncode == 0, whole.stderr
    assert whole.stderr.count("\n") == 1 and "snakemake --cores all" in whole.stderr
    for record, names in store.chosen(ledger):
        assert all((clone / record.path / name).is_file() for name in names), record.name
    verified = run(clone, "regrow", "verify", "--json")
    results = json.loads(verified.stdout)
    wrong = [r["name"] for r in results["artifacts"] if r["differing"] or r["extra"]]
    assert not wrong


def test_questions_are_answered_from_what_git_carries(clone: Path) -> None:
    """Needs what the test before pulled."""
    if not (clone / "data" / "pack").is_dir():
        assert run(clone, "dvc", "pull").returncode == 0
    ledger = Ledger.load(clone)
    last = ledger.checkpoints("pretrain")[-1]
    step = last.trained[1] if last.trained else 0
    ordered = run(clone, "regrow", "batch", last.name, "--step", str(step), "--json")
    assert ordered.returncode == 0 and json.loads(ordered.stdout), ordered.stderr
    traced = run(clone, "regrow", "trace", "Now is the winter", "--json")
    assert traced.returncode == 0 and json.loads(traced.stdout), traced.stderr
    explained = run(clone, "regrow", "explain", "rlvr", "of 45, 64, 17: 17", "--json")
    assert explained.returncode == 0 and json.loads(explained.stdout), explained.stderr
