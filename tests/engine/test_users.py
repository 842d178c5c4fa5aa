"""Two users, one cache or one tree: real accounts, real permissions, the toy flow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from small_repository import Repository

GROUP = 64_999
FIRST, SECOND = 64_997, 64_998


def prefix(user: int) -> list[str]:
    """Words before a command that make it another user's.

    It may read everything (this environment may be below root's home), and write only what is its own.
    """
    reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    account = [f"--reuid={user}", f"--regid={GROUP}", "--clear-groups"]
    return ["setpriv", *account, *reads, "sh", "-c", 'umask 022; exec "$@"', "sh"]


def can() -> bool:
    """Whether other users can be played, and can run what is tested."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    command = [*prefix(FIRST), sys.executable, "-c", "import regrow, dvc.repo, snakemake"]
    return subprocess.run(command, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not can(), reason="needs root, setpriv and an environment for all")


def give(path: Path, user: int, group_writes: bool) -> None:
    """Let a tree belong to a user; with `group_writes`, as `chmod -R g+ws` leaves it."""
    for one in [path, *path.rglob("*")]:
        os.chown(one, user, GROUP, follow_symlinks=False)
        if group_writes and not one.is_symlink():
            more = 0o2020 if one.is_dir() else 0o020
            if ".dvc/cache" not in str(one) or one.is_dir():
                one.chmod(one.stat().st_mode | more)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are for its user only."""
    with tempfile.TemporaryDirectory(prefix="regrow-users-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class As:
    """A repository, used by somebody."""

    def __init__(self, repository: Repository, user: int) -> None:
        self.repository, self.user = repository, user
        self.home = repository.path.parent / f"home.{user}"
        self.home.mkdir(exist_ok=True)
        os.chown(self.home, user, GROUP)
        (self.home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        env = {
            "HOME": str(self.home),
            "LOGNAME": f"user{self.user}",
            "XDG_CACHE_HOME": str(self.home),
            "DVC_SITE_CACHE_DIR": str(self.home),
        }
        return self.repository.run(*prefix(self.user), *args, check=check, **env)

    def snakemake(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the workflow."""
        return self.run("snakemake", "--cores", "2", *args)


def test_a_shared_cache_serves_two_users(built: Repository, place: Path):
    """DVC's `cache.shared = group`, umask 022: what one makes the other finds, and adds to."""
    shared = place / "shared"
    shared.mkdir()
    os.chown(shared, 0, GROUP)
    shared.chmod(0o2775)
    users = []
    for name, user in (("a", FIRST), ("b", SECOND)):
        clone = built.clone(place / name)
        (clone.path / ".dvc/config.local").write_text(
            f"[cache]\n    dir = {shared}/cache\n    shared = group\n"
        )
        give(clone.path, user, False)
        users.append(As(clone, user))
    first, second = users
    first.snakemake("clean_all")
    assert {p.stat().st_uid for p in (shared / "cache").rglob("*")} == {FIRST}
    second.repository.edit("src/toy/mix.py", "sorted(lines)", "sorted(lines, reverse=True)")
    second.snakemake("mix")
    assert second.repository.outcomes() == {
        "run": ["mix"],
        "hit": ["clean.0", "clean.1", "clean.2"],
    } or ("mix" in second.repository.read(".regrow/runs.jsonl"))
    folders = [p for p in (shared / "cache").rglob("*") if p.is_dir()]
    assert {p.stat().st_mode & 0o7777 for p in folders} == {0o2775}


def test_a_damaged_object_of_another_user_ends_in_a_run_and_not_in_a_loop(
    built: Repository, place: Path
):
    theirs = place / "theirs"
    shutil.copytree(built.path / ".dvc/cache", theirs)
    clone = built.clone(place / "clone")
    (clone.path / ".dvc/config.local").write_text(f"[cache]\n    dir = {theirs}\n")
    give(clone.path, FIRST, False)
    records = clone.path / "records/split.json"
    entry = json.loads(records.read_text())["output"]["files"][0]
    item = theirs / "files/md5" / entry["md5"][:2] / entry["md5"][2:]
    content = item.read_bytes()
    item.chmod(0o644)
    item.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    item.chmod(0o444)
    me = As(clone, FIRST)
    done = me.snakemake("-R", "split", "--", "split")
    assert done.stderr.count("it could not be removed") == 1
    assert "cannot be written in part" in done.stderr
    assert len(done.stderr.splitlines()) < 60
    assert clone.outcomes() == {"run": ["split"]}
    assert (clone.path / "data/split" / entry["path"]).read_bytes() == content


def test_one_tree_of_two_members_of_a_group(built: Repository, place: Path):
    """Records of the first are dated by the second, who runs what the second changed."""
    tree = built.copy(place / "tree")
    give(tree.path, FIRST, True)
    second = As(tree, SECOND)
    for record in (tree.path / "records").iterdir():
        os.utime(record, (1e9, 1e9))
    assert "Nothing to be done" in (done := second.snakemake("-n")).stdout + done.stderr
    tree.edit("params/demo.yaml", "lr: 0.5", "lr: 0.6")
    tree.outcomes()
    second.snakemake("train_all")
    assert tree.outcomes() == {"run": ["train.000", "train.001", "train.002"]}
    first = As(tree, FIRST)
    first.snakemake("evaluate_all")
    assert len(tree.outcomes()["run"]) == 3


def test_a_clone_that_may_only_be_read_answers(built: Repository, place: Path):
    clone = built.clone(place / "clone")
    me = As(clone, SECOND)
    table = clone.toy_table()
    env = [f"{name}={value}" for name, value in table.items()]
    plan = me.run("env", *env, "regrow", "plan", check=False)
    assert (plan.returncode, plan.stderr) == (0, "")
    assert "jobs under params/demo.yaml" in plan.stdout
    check = me.run("env", *env, "regrow", "reconcile", "--check", check=False)
    assert "Traceback" not in check.stderr
    assert "compared only, nothing can be written here" in check.stderr
    audit = me.run("env", *env, "regrow", "audit", "train.002", check=False)
    assert "Traceback" not in audit.stderr
    assert audit.returncode == 0
    run = me.run("snakemake", "--cores", "1", check=False)
    assert run.returncode != 0
    assert not (clone.path / ".regrow").exists()
