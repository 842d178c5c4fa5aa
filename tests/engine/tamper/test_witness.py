"""The witness git HEAD: it speaks wherever the flow lies and however git was set up, or it is said that it cannot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from regrow.engine import commits, git, witness
from regrow.engine.records import encode, read
from small_records import GIT, Job, World
from tamper_attacks import redone

JOBS = [
    Job("split", params={"seed": 1}),
    Job("mix", inputs={"it": "split"}),
    Job("train", inputs={"it": "mix"}, instance="000"),
]
MIX = "records/mix.json"


def call(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *GIT, *words], check=True, capture_output=True)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A committed flow of three jobs."""
    made = World(tmp_path / "flow")
    made.build(JOBS)
    made.commit()
    return made.root


def forge(root: Path) -> None:
    """Other bytes for the key of mix, everything in the record agreeing."""
    path = root / MIX
    path.write_bytes(encode(redone(json.loads(path.read_bytes()), content=b"forged")))
    assert read(path.read_bytes())[1] == "", "nothing in it contradicts"


def said(root: Path) -> dict[str, str]:
    records = {f"records/{p.name}": p.read_bytes() for p in sorted((root / "records").iterdir())}
    return witness.differences(root, records)[0]


def here(root: Path) -> Path:
    return root


def subfolder(root: Path) -> Path:
    """The flow lies in a folder of a larger repository."""
    top = root.parent / "top"
    (top / "a b").mkdir(parents=True)
    shutil.rmtree(root / ".git")
    shutil.copytree(root, top / "a b/flow")
    call(top, "init", "-q")
    call(top, "add", "-A")
    call(top, "commit", "-qm", "x")
    return top / "a b/flow"


def worktree(root: Path) -> Path:
    call(root, "worktree", "add", "-q", "-b", "other", str(root.parent / "tree"))
    return root.parent / "tree"


def submodule(root: Path) -> Path:
    top = root.parent / "outer"
    top.mkdir()
    call(top, "init", "-q")
    call(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(root), "inner")
    return top / "inner"


def stranger(root: Path) -> Path:
    """As a container's root in a user's clone: git calls the ownership dubious."""
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    for path in (root, root / ".git"):
        os.chown(path, 54_321, 54_321)
    done = subprocess.run(["git", "-C", str(root), "status"], capture_output=True, text=True)
    assert "dubious ownership" in done.stderr
    return root


def bit(name: str) -> Callable[[Path], Path]:
    def place(root: Path) -> Path:
        call(root, "update-index", name, MIX)
        return root

    place.__name__ = name
    return place


def filtered(root: Path) -> Path:
    """A clean filter turns whatever lies there into what was committed."""
    honest = root.parent / "honest"
    shutil.copy(root / MIX, honest)
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/attributes").write_text("records/*.json filter=lie\n")
    call(root, "config", "filter.lie.clean", f"cat {honest}")
    return root


def elsewhere(root: Path) -> Path:
    call(root, "config", "core.worktree", str(root.parent))
    return root


def ignoring(root: Path) -> Path:
    call(root, "config", "core.fileMode", "false")
    call(root, "config", "core.checkStat", "minimal")
    call(root, "config", "core.autocrlf", "true")
    return root


PLACES = [here, subfolder, worktree, submodule, stranger, filtered, elsewhere, ignoring]
PLACES += [bit("--assume-unchanged"), bit("--skip-worktree")]


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_a_forged_record_contradicts_head_wherever_the_flow_lies(
    world: Path, place: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
):
    root = place(world)
    assert said(root) == {}
    forge(root)
    (text,) = said(root).values()
    assert text.startswith(f"{MIX} says that its key gives ") and "git HEAD that it gives" in text
    assert capsys.readouterr().err == ""


def test_what_is_replaced_in_git_is_not_taken_for_what_was_committed(world: Path):
    before = commits.blobs(world)[MIX]
    forge(world)
    call(world, "replace", before, "HEAD:./records/split.json")
    made = subprocess.run(
        ["git", "-C", str(world), "hash-object", "-w", MIX], capture_output=True, text=True
    ).stdout.strip()
    call(world, "replace", "-d", before)
    call(world, "replace", before, made)
    assert list(said(world)) == [MIX]


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
)
def test_no_variable_names_another_repository(
    world: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    other = World(tmp_path / "other")
    other.commit()
    monkeypatch.setenv(name, str(other.root / ".git"))
    forge(world)
    assert list(said(world)) == [MIX]


@pytest.mark.parametrize(
    ("forgery", "words"),
    [
        ({"md5": "0" * 32}, "other files than git HEAD has for the same key: out.bin (md5 "),
        ({"size": 7}, "other files than git HEAD has for the same key: out.bin (size 7"),
        ({"path": "other.txt"}, "says that its key gives"),
        ({"counts": {"kept": 1}}, "has other counts than git HEAD has"),
        ({"counts": {"kept": True}}, "has other counts than git HEAD has"),
        ({"content": b"x"}, "says that its key gives"),
    ],
    ids=str,
)
def test_the_whole_result_is_compared(world: Path, forgery: dict, words: str):
    path = world / MIX
    path.write_bytes(encode(redone(json.loads(path.read_bytes()), **forgery)))
    assert read(path.read_bytes())[1] == "", "nothing in it contradicts"
    (text,) = said(world).values()
    assert words in text


def test_what_no_key_counts_is_compared_too(world: Path):
    path = world / MIX
    record = json.loads(path.read_bytes())
    code = record["parts"]["code"]
    code["modules"]["toy.lie"] = {"digest": "0", "definitions": {}}
    path.write_bytes(encode(record))
    assert "its digests do not follow from its content: its code digest" in said(world)[MIX]
    code["modules"] = {}
    record["parts"]["code"]["note"] = "no formula counts this"
    path.write_bytes(encode(record))
    assert said(world)[MIX] == f"{MIX} says of its code what git HEAD does not for the same key"


@pytest.mark.parametrize(
    "spell",
    [
        lambda b: b.replace(b"\n", b"\r\n"),
        lambda b: json.dumps(json.loads(b)).encode(),
        lambda b: b.rstrip(),
        lambda b: b + b"\n",
        lambda b: b.replace(b'{\n  "counts"', b'{\n  "key": "0",\n  "counts"', 1),
    ],
    ids=["CRLF", "compact", "no last newline", "a line more", "a field twice"],
)
def test_a_record_with_another_layout_is_not_taken_for_heads(
    world: Path, spell: Callable[[bytes], bytes]
):
    path = world / MIX
    content = spell(path.read_bytes())
    assert content != path.read_bytes()
    path.write_bytes(content)
    assert "is not spelled as the runner spells it" in said(world)[MIX]


def test_a_record_of_another_key_is_another_artifact_and_named(world: Path):
    record = json.loads((world / MIX).read_bytes())
    record = redone(record, params={"mix": {"seed": 2}})
    content = encode(record)
    (world / MIX).write_bytes(content)
    assert witness.differences(world, {MIX: content}) == ({}, [MIX])


@pytest.fixture
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "_SAID", set())


@pytest.mark.usefixtures("unsaid")
class TestThatItCannotBeAskedIsSaid:
    def heard(self, root: Path, capsys: pytest.CaptureFixture[str]) -> str:
        forge(root)
        assert said(root) == said(root) == {}
        text = capsys.readouterr().err
        assert text.count("git HEAD cannot be asked, so a forged record may be believed") == 1, (
            "once in a process"
        )
        return text

    def test_where_there_is_no_git(self, world, capsys, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "git is not installed: install it" in self.heard(world, capsys)

    def test_where_an_archive_was_unpacked(self, world, capsys):
        shutil.rmtree(world / ".git")
        assert "clone it instead of unpacking" in self.heard(world, capsys)

    @pytest.mark.parametrize("head", ["ref: refs/heads/none\n", "junk\n", "0" * 40 + "\n"])
    def test_where_head_leads_nowhere(self, world, capsys, head):
        (world / ".git/HEAD").write_text(head)
        self.heard(world, capsys)

    def test_where_a_repository_without_commits_was_put_around_it(self, world, capsys):
        shutil.rmtree(world / ".git")
        call(world, "init", "-q")
        assert "nothing is committed at git HEAD: commit" in self.heard(world, capsys)

    def test_where_an_object_is_damaged(self, world, capsys):
        blob = commits.blobs(world)[MIX]
        path = world / ".git/objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"junk")
        self.heard(world, capsys)


def test_the_variables_of_a_hook_reach_no_call(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    kept = {n for n in git.environment() if n.startswith("GIT_")}
    assert kept == {"GIT_OPTIONAL_LOCKS", "GIT_NO_REPLACE_OBJECTS", "GIT_TERMINAL_PROMPT"}
