from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from regrow.cli.main import main
from regrow.engine.errors import FlowError
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.publish.hub import repository
from regrow.publish.hub.files import lay_out
from regrow.publish.hub.repository import fill
from regrow.publish.hub.revisions import revisions, select


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def test_a_revision_per_checkpoint_with_its_parents(ledger: Ledger) -> None:
    found = {revision.name: revision.parents for revision in revisions(ledger)}
    assert found["pretrain-step0"] == ()
    assert found["pretrain-step8"] == ("pretrain-step4",)
    assert found["midtrain-step2"] == ("pretrain-step8",)
    assert found["midtrain_b-step4"] == ("pretrain-step8",)
    assert set(found["soup-step4"]) == {"midtrain-step4", "midtrain_b-step4"}
    assert found["sft_instruct-step2"] == ("sft-step4",)
    assert found["rlvr-step4"] == ("rlvr-step2",)
    assert found["rlvr-step2"] == ("dpo-step2",)
    assert not any("control" in name or "random" in name for name in found)
    assert len(found) == len(ledger.of_step("release"))
    seen: set[str] = set()
    for name, parents in found.items():
        assert set(parents) <= seen, "parents come first"
        seen.add(name)


def test_an_unreleased_parent_is_passed_over(ledger: Ledger) -> None:
    records = [r for r in ledger.records if r.name not in ("release.soup-000004",)]
    found = {r.name: r.parents for r in revisions(Ledger(ledger.root, records))}
    assert set(found["longcontext-step2"]) == {"midtrain-step4", "midtrain_b-step4"}


def test_names_of_revisions(ledger: Ledger) -> None:
    def names(*given: str) -> list[str]:
        return [revision.name for revision in select(ledger, given)]

    assert names("rlvr") == ["rlvr-step2", "rlvr-step4"]
    assert names("rlvr.000002") == names("release.rlvr-000002") == names("rlvr-step2")
    assert names(ledger.by_name["sft.000004"].sha256[:12]) == ["sft-step4"]
    assert len(names("all")) == len(revisions(ledger))
    with pytest.raises(Unanswerable, match="no released checkpoint"):
        select(ledger, ["rlzero_random.000002"])
    with pytest.raises(Unanswerable, match="no released checkpoint"):
        select(ledger, ["mix"])
    with pytest.raises(Unanswerable, match="no checkpoint is released"):
        revisions(Ledger(ledger.root, ledger.of_step("pretrain")))


def test_folders_hold_the_recorded_bytes(ledger: Ledger, tmp_path: Path) -> None:
    (revision,) = select(ledger, ["rlvr-step4"])
    assert lay_out(ledger.root, revision, tmp_path / "out") is True
    found = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in (tmp_path / "out" / "rlvr-step4").iterdir()
    }
    assert found == {f["path"]: f["sha256"] for f in revision.record.files}
    assert lay_out(ledger.root, revision, tmp_path / "out") is False
    (tmp_path / "out" / "rlvr-step4" / "README.md").write_text("mine")
    with pytest.raises(Unanswerable, match="holds something else"):
        lay_out(ledger.root, revision, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["rlvr-step4"], "nothing is left over"


def test_damaged_and_missing_files_are_refused(tree: Path, tmp_path: Path) -> None:
    (revision,) = select(Ledger.load(tree), ["rlvr-step4"])
    path = tree / revision.record.path / "model.safetensors"
    path.write_bytes(b"other")
    with pytest.raises(Unanswerable, match="not those of records/release"):
        lay_out(tree, revision, tmp_path / "out")
    path.unlink()
    with pytest.raises(Unanswerable, match="dvc pull data/release/rlvr-000004"):
        fill(tree, [revision], tmp_path / "git")
    assert not (tmp_path / "out" / "rlvr-step4").exists()


def test_a_branch_per_checkpoint_whose_history_is_the_lineage(
    ledger: Ledger, tmp_path: Path
) -> None:
    commits = fill(ledger.root, revisions(ledger), tmp_path / "git")
    branches = git(tmp_path / "git", "branch", "--format=%(refname:short)").split()
    assert set(branches) == {"main", *commits}
    log = git(tmp_path / "git", "log", "--format=%s", "rlvr-step4").split()
    assert log[0] == "rlvr-step4" and log[-1] == "pretrain-step0"
    assert {"midtrain_b-step4", "soup-step4", "sft-step4", "dpo-step2"} <= set(log)
    parents = git(tmp_path / "git", "log", "-1", "--format=%P", "soup-step4").split()
    assert len(parents) == 2
    for name in commits:
        card = git(tmp_path / "git", "show", f"{name}:README.md")
        assert card == f"card {name.split('-')[0]}-{int(name.split('step')[1]):06d}\n"
    assert git(tmp_path / "git", "rev-parse", "main").strip() == commits["rlvr-step4"]
    assert git(tmp_path / "git", "status", "--porcelain") == ""
    git(tmp_path / "git", "fsck", "--strict")
    again = fill(ledger.root, revisions(ledger), tmp_path / "again")
    assert again == commits, "equal checkpoints give equal commits"
    with pytest.raises(Unanswerable, match="not empty"):
        fill(ledger.root, revisions(ledger), tmp_path / "git")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-qb", "sft-step2", tmp_path / "git", clone], check=True)
    wanted = select(ledger, ["sft-step2"])[0].record.files
    for entry in wanted:
        assert hashlib.sha256((clone / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]


def test_large_files_are_kept_by_lfs(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "LARGE", 14)
    (revision,) = select(ledger, ["rlvr-step4"])
    fill(ledger.root, [revision], tmp_path / "git")
    weights = next(f for f in revision.record.files if f["path"] == "model.safetensors")
    pointer = git(tmp_path / "git", "show", "main:model.safetensors").splitlines()
    assert pointer[1:] == [f"oid sha256:{weights['sha256']}", f"size {weights['size']}"]
    digest = weights["sha256"]
    kept = tmp_path / "git/.git/lfs/objects" / digest[:2] / digest[2:4] / digest
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == digest
    assert "filter=lfs" in git(tmp_path / "git", "show", "main:.gitattributes")


def test_command(
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(finished)
    assert main(["release", "--list"]) == 0
    text = capsys.readouterr().out
    assert "rlvr-step4" in text and "from midtrain-step4, midtrain_b-step4" in text
    assert main(["release", "dpo", "--list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "dpo-step2" and row["parents"] == ["sft-step4"]
    assert main(["release", "rlvr"]) == 1
    assert "--to DIR" in capsys.readouterr().err
    assert main(["release", "rlvr", "--to", str(tmp_path / "a")]) == 0
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["rlvr-step2", "rlvr-step4"]
    capsys.readouterr()
    assert main(["release", "rlvr", "--to", str(tmp_path / "b"), "--git", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert git(tmp_path / "b", "rev-parse", "rlvr-step2").strip() == rows[0]["commit"]


def test_a_tree_in_which_git_left_out_a_file_is_refused(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (revision,) = select(ledger, ["rlvr-step4"])
    real = repository.Repository.git

    def forgetful(self: repository.Repository, *words: str, **more: object) -> bytes:
        if words[0] == "update-index":
            more["stdin"] = bytes(more["stdin"]).split(b"\n", 1)[1]  # type: ignore[call-overload]
        return real(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(repository.Repository, "git", forgetful)
    with pytest.raises(Unanswerable, match="did not take every file"):
        fill(ledger.root, [revision], tmp_path / "git")


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", "a\\b", ".git/config", "a\nb"])
def test_nothing_is_laid_out_under_a_name_that_leaves_its_folder(
    ledger: Ledger, tmp_path: Path, name: str
) -> None:
    """Also where the record was not read by `parse`."""
    (revision,) = select(ledger, ["rlvr-step4"])
    raw = json.loads(json.dumps(revision.record.raw))
    raw["output"]["files"][0]["path"] = name
    bad = replace(revision, record=replace(revision.record, raw=raw))
    for attempt in (
        lambda: lay_out(ledger.root, bad, tmp_path / "x/out"),
        lambda: fill(ledger.root, [bad], tmp_path / "x/git"),
        lambda: lay_out(ledger.root, replace(revision, name="../up"), tmp_path / "x/out"),
    ):
        with pytest.raises(FlowError, match="refused for the name"):
            attempt()
    assert not [p for p in tmp_path.rglob("*") if "escaped" in p.name or p.name == "up"]
    assert [p for p in (tmp_path / "x").rglob("*") if p.name == "README.md"] == []
