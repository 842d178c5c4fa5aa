from __future__ import annotations

import json
from pathlib import Path

import pytest

from regrow.cli.main import main
from regrow.evidence.commit import commit_of, resolve_commit
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.prove.rebuild.folder import environment, prepare, recorded_params
from regrow.prove.rebuild.packages import differences
from toy_repository import git, write_repository

LATER = "if 'TOY_PUBLISH' not in os.environ and sys.argv[1] == 'b': "


def rebuild(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    status = main(["rebuild", *arguments, "--cores", "1", "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_rebuild_from_its_hash_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "repository")
    published = git(root, "rev-parse", "HEAD")
    # What happens later must not matter: other params, another commit, no data on disk.
    (root / "params" / "demo.yaml").write_text('{"toy": {"x": 8}}')
    (root / "make.py").write_text("raise SystemExit(1)")
    git(root, "commit", "-qam", "later")
    for file in (root / "data").rglob("*.txt"):
        file.unlink()
    monkeypatch.chdir(root)
    digest = Ledger.load(root).by_name["c"].sha256
    folder = tmp_path / "kept"
    status, answer = rebuild(capsys, digest[:12], "--keep", "--folder", str(folder))
    assert (status, answer["verdict"], answer["equal"], answer["of"]) == (0, "equal", 3, 3)
    assert answer["commit"] == published and answer["packages"] == []
    assert (folder / "data" / "c" / "out.txt").read_text() == "result of c\n7"
    assert git(root, "status", "--porcelain") == "" and "worktrees" not in str(
        list((root / ".git").iterdir())
    )


@pytest.mark.parametrize("below", ["flow", "models/a flow "])
def test_a_flow_in_a_subfolder_of_its_repository(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    below: str,
) -> None:
    top = tmp_path / "outer"
    # What a flow at the top would leave out is somebody else's here.
    (top / "records").mkdir(parents=True)
    (top / "records" / "a.json").write_text("{}")
    root = write_repository(top / below, top=top)
    monkeypatch.chdir(root)
    folder = tmp_path / "kept"
    status, answer = rebuild(capsys, "c", "--keep", "--folder", str(folder))
    assert (status, answer["verdict"], answer["equal"], answer["of"]) == (0, "equal", 3, 3)
    assert answer["folder"] == str(folder / below)
    assert (folder / below / "data" / "c" / "out.txt").read_text() == "result of c\n7"
    assert (folder / "records" / "a.json").read_text() == "{}"
    assert not (folder / "data").exists() and not (folder / "params").exists()


def test_a_commit_without_the_subfolder(tmp_path: Path) -> None:
    top = tmp_path / "outer"
    root = write_repository(top / "flow", top=top)
    git(top, "mv", "flow", "moved")
    git(top, "commit", "-qm", "moved")
    chain = Ledger.load(top / "moved").records
    with pytest.raises(Unanswerable, match="has no folder moved/"):
        prepare(top / "moved", tmp_path / "new", git(top, "rev-parse", "HEAD~1"), chain)
    assert not root.exists()


@pytest.mark.parametrize("home", ["", "flow"])
def test_no_store_of_dvc_reaches_a_rebuild_below_the_top(tmp_path: Path, home: str) -> None:
    top = tmp_path / "outer"
    root = write_repository(top / "flow", top=top)
    (top / home / ".dvc").mkdir()
    (top / home / ".dvc" / "config").write_text("[core]\n    remote = store\n")
    git(top, "add", "-f", "-A")
    git(top, "commit", "-qm", "remote")
    new = tmp_path / "new"
    place = prepare(root, new, git(root, "rev-parse", "HEAD"), Ledger.load(root).records)
    assert place == new / "flow" and list((place / "records").iterdir()) == []
    assert (new / home / ".dvc" / "config").read_text() == ""
    assert json.loads((place / "params/demo.yaml").read_text()) == {"toy": {"x": 7}}


def test_the_first_step_and_file_that_differ_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r", LATER + "body = lambda step: 'no ' + step")
    monkeypatch.chdir(root)
    status, answer = rebuild(capsys, "c")
    assert (status, answer["verdict"], answer["equal"]) == (1, "differs", 2)
    first = answer["first"]
    assert isinstance(first, dict)
    assert (first["job"], first["file"]["path"], first["key_equal"]) == ("b", "out.txt", True)
    assert first["file"]["recorded"] != first["file"]["rebuilt"]
    assert answer["folder"] is None, "the temporary folder is gone"
    assert main(["rebuild", "c", "--cores", "1"]) == 1
    text = capsys.readouterr().out
    assert "differs, first at b." in text and "not reproducible here" in text


def test_a_step_that_fails_is_named_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r", LATER + "sys.exit('the reason')")
    monkeypatch.chdir(root)
    assert main(["rebuild", "c", "--cores", "1"]) == 1
    text = capsys.readouterr().out
    assert "could not be rebuilt: b" in text and "the reason" in text


def test_the_commit_is_the_one_that_brought_the_record(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "r")
    first = git(root, "rev-parse", "HEAD")
    (root / "records" / "a.json").unlink()
    git(root, "commit", "-qam", "removed")
    git(root, "revert", "--no-edit", "HEAD")
    record = Ledger.load(root).by_name["a"]
    assert commit_of(root, record) == git(root, "rev-parse", "HEAD"), "the newest that brought it"
    assert commit_of(root, Ledger.load(root).by_name["b"]) == first
    assert resolve_commit(root, "HEAD~2") == first
    with pytest.raises(Unanswerable, match="no commit `nowhere`"):
        resolve_commit(root, "nowhere")
    record.raw["key"] = "0" * 64
    with pytest.raises(Unanswerable, match=r"not published yet.*--commit HEAD"):
        commit_of(root, record)


def test_the_folder_is_empty_of_results(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "r")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    remote = store\n")
    git(root, "add", "-f", ".dvc/config")
    git(root, "commit", "-qm", "remote")
    chain = Ledger.load(root).records
    prepare(root, tmp_path / "new", git(root, "rev-parse", "HEAD"), chain)
    assert list((tmp_path / "new" / "records").iterdir()) == []
    assert not (tmp_path / "new" / "data").exists()
    assert (tmp_path / "new" / ".dvc" / "config").read_text() == ""
    with pytest.raises(Unanswerable, match="not empty"):
        prepare(root, tmp_path / "new", "HEAD", chain)
    given = environment(tmp_path / "new")
    assert given["REGROW_CACHE_OFF"] == "1"
    assert given["PYTHONPATH"] == str(tmp_path / "new" / "src")


def test_params_come_from_the_records(ledger: Ledger) -> None:
    chain = ledger.ancestry(ledger.by_name["mix"])
    sections = recorded_params(chain)
    assert list(sections) == [
        "crawl",
        "text",
        "filter",
        "tasks",
        "dedup",
        "decontaminate",
        "classify",
        "mix",
    ]
    chain[0].raw["parts"]["params"]["mix"] = {"tokens": 1}
    try:
        with pytest.raises(Unanswerable, match="not of one run"):
            recorded_params(chain)
    finally:
        del chain[0].raw["parts"]["params"]["mix"]


def test_other_packages_are_named(ledger: Ledger) -> None:
    chain = ledger.ancestry(ledger.by_name["filter"])
    assert differences(chain, {"polars": "2.1.0"}.get) == []
    (row,) = differences(chain, {"polars": "2.2.0"}.get)
    assert row == {
        "package": "polars",
        "recorded": "2.1.0",
        "installed": "2.2.0",
        "steps": ["crawl", "text", "filter"],
    }


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"]
)
def test_a_rebuild_in_a_hook_moves_nobodys_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """git sets GIT_DIR and its like for the hooks of a worktree and for `git rebase --exec`."""
    root = write_repository(tmp_path / "r")
    git(root, "worktree", "add", "-q", "-b", "topic", str(tmp_path / "wt"))
    place = tmp_path / "wt"
    before = [git(tree, "symbolic-ref", "HEAD") for tree in (root, place)]
    hidden = git(place, "rev-parse", "--absolute-git-dir")
    shown = {"GIT_INDEX_FILE": f"{hidden}/index", "GIT_WORK_TREE": str(place)}
    monkeypatch.setenv(name, shown.get(name, hidden))
    ledger = Ledger.load(place)
    commit = commit_of(place, ledger.by_name["c"])
    assert resolve_commit(place, "HEAD") == commit
    prepare(place, tmp_path / "new", commit, ledger.records)
    assert (tmp_path / "new/params/demo.yaml").is_file()
    assert not any(n.startswith("GIT_") for n in environment(tmp_path / "new"))
    monkeypatch.delenv(name)
    assert [git(tree, "symbolic-ref", "HEAD") for tree in (root, place)] == before
    assert git(place, "status", "--porcelain") == git(root, "status", "--porcelain") == ""
