"""Odd files, streams and memories: an answer or a message, never a traceback, never a hang."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regrow.engine import actions, files
from regrow.engine.closure import Modules
from regrow.engine.environment import Environment
from regrow.engine.errors import FlowError
from regrow.engine.hashing import Digest
from regrow.engine.present import Present
from regrow.engine.records import decode
from regrow.engine.state import FileTree
from regrow.engine.store import Store
from small_repository import BIN, ROOT

DEEP = b"[" * 100_000
WRONG = [
    b"",
    b"[]",
    b"null",
    b"7",
    b'"x"',
    b"{}",
    b'{"params": 1}',
    b'{"files": []}',
    DEEP,
    b"\xff\xfe",
]


def noted(root: Path) -> tuple[dict[str, Digest], Path]:
    """A file's digests, and the memory of them."""
    (root / "x").write_text("content")
    tree = FileTree(root, "x")
    before = tree.digests()
    tree.remember("", (root / "x").stat(), before[""])
    tree.save()
    (memory,) = (root / ".regrow/state").rglob("*.json")
    return before, memory


@pytest.mark.parametrize("content", WRONG, ids=range(len(WRONG)))
def test_a_memory_of_another_shape_is_no_memory(tmp_path: Path, content: bytes):
    before, memory = noted(tmp_path)
    memory.write_bytes(content)
    assert FileTree(tmp_path, "x").digests() == before
    (tmp_path / "syntax.json").write_bytes(content)
    assert Modules(tmp_path / "syntax.json", ["regrow"], ROOT / "src").syntax("regrow") is not None
    memory = tmp_path / "environment"
    assert Environment(tmp_path, memory).packages([]) != {}
    for path in memory.iterdir():
        path.write_bytes(content)
    assert Environment(tmp_path, memory).packages([]) != {}


def test_an_entry_of_another_shape_in_the_memory_of_digests_is_none(tmp_path: Path):
    before, memory = noted(tmp_path)
    for entry in (7, [], [1], {"a": 1}, [[], 1, 2], None):
        memory.write_text(json.dumps({"": entry, "gone": entry}))
        assert FileTree(tmp_path, "x").digests() == before


@pytest.mark.parametrize("content", WRONG, ids=range(len(WRONG)))
def test_a_record_or_an_entry_of_the_run_cache_of_another_shape_is_none(
    tmp_path: Path, content: bytes
):
    assert decode(content) is None
    store, key = Store(tmp_path), "ab" * 32
    folder = actions.folder(store, key)
    folder.mkdir(parents=True)
    (folder / "entry").write_bytes(content)
    (folder / "a folder").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    assert actions.lookup(store, key) == []


def test_what_nfs_keeps_of_a_removed_file_is_no_file_of_ours(tmp_path: Path):
    (tmp_path / "data").mkdir()
    for name in ("kept.txt", ".nfs000000000f2a01c400000001", ".nfsmine", ".nfs12"):
        (tmp_path / "data" / name).write_text("x")
    assert list(FileTree(tmp_path, "data").listing()) == [".nfs12", ".nfsmine", "kept.txt"]


def repository(path: Path) -> Path:
    """What `Present` needs."""
    (path / "params").mkdir(parents=True)
    (path / "params/demo.yaml").write_text("{}\n")
    (path / "Snakefile").write_text("")
    (path / "constraints.txt").write_text("")
    return path


def test_private_folder_that_is_a_file_is_named(tmp_path: Path):
    root = repository(tmp_path)
    (root / ".regrow").write_text("x")
    with pytest.raises(FlowError, match=r"\.regrow is no folder.*Fix: remove it"):
        Present(root, "params/demo.yaml")


def test_params_that_are_a_pipe_are_named_and_not_waited_for(tmp_path: Path):
    root = repository(tmp_path)
    os.mkfifo(root / "params/pipe.yaml")
    with pytest.raises(FlowError, match="no plain file"):
        Present(root, "params/pipe.yaml")


def test_a_number_of_ten_thousand_digits_is_wrong_params(tmp_path: Path):
    root = repository(tmp_path)
    (root / "params/demo.yaml").write_text(f"pretrain: {{steps: {'9' * 10_000}}}\n")
    with pytest.raises(Exception, match="a value cannot be read") as raised:
        Present(root, "params/demo.yaml")
    assert type(raised.value).__name__ == "ParamsError"


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_where_nothing_can_be_written_questions_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
):
    root = repository(tmp_path)

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(files, "write_atomically", refuse)
    present = Present(root, "params/demo.yaml")
    step = present.flow.step("crawl")
    (root / "sources").mkdir()
    (root / "sources/x").write_text("x")
    assert present.code(step)["digest"]
    assert present.source_sha256("sources")
    present.save()
    assert not (root / ".regrow").exists()


def call(
    root: Path, *words: str, stdout: int | None = subprocess.PIPE, **env: str
) -> tuple[int, str, str]:
    """`regrow` in this folder; exit status, output, errors."""
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "HOME": str(root),
        "PYTHONPATH": str(ROOT / "src"),
        **env,
    }
    command = [sys.executable, "-P", "-m", "regrow.cli.main", *words]
    done = subprocess.run(command, cwd=root, env=environment, stdout=stdout, stderr=subprocess.PIPE)
    return done.returncode, (done.stdout or b"").decode("latin-1"), done.stderr.decode("latin-1")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_no_character_ends_an_answer(tmp_path: Path, env: dict[str, str]):
    name = "regréw … ⟨"
    status, _, said = call(repository(tmp_path), name, **env)
    assert status == 2
    assert "Traceback" not in said
    assert "no command `regr" in said


def test_a_full_disk_behind_standard_output_is_a_message(tmp_path: Path):
    root = repository(tmp_path)
    with Path("/dev/full").open("wb") as full:
        status, _, said = call(root, "schema", stdout=full.fileno())
    assert status == 1
    assert said == "regrow schema: the answer could not be written: No space left on device.\n"


def test_a_closed_standard_output_is_no_traceback(tmp_path: Path):
    root = repository(tmp_path)
    command = f"exec {sys.executable} -P -m regrow.cli.main schema >&-"
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(["sh", "-c", command], cwd=root, env=env, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_kernels_are_built_in_a_path_that_the_linker_would_read_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """`%` and `\\`: every name that the compiler is given is a relative one, its caches are elsewhere."""
    from regrow.numerics import build

    seen: list[tuple[list[str], str, str]] = []

    def compile_(command: list[str], *, cwd: Path, env: dict[str, str], **more: object) -> object:
        seen.append((command[1:], str(cwd), env["ZIG_LOCAL_CACHE_DIR"]))
        assert all((cwd / name).is_file() for name in command if name.endswith(".c"))
        (cwd / command[-1]).write_bytes(b"library")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(build.subprocess, "run", compile_)
    for odd in ("a%2Fb", "a\\b", "plain"):
        built = tmp_path / odd / "_native"
        built.parent.mkdir()
        monkeypatch.setattr(build, "BUILT", built)
        before = os.umask(0o022)
        try:
            target = build.build()
        finally:
            os.umask(before)
        assert target.parent == built
        assert {p.name for p in target.iterdir()} == {f"{n}.so" for n in build.LIBRARIES}
        assert target.stat().st_mode & 0o777 == 0o755  # for other users too
        assert [p.name for p in built.iterdir()] == [target.name]
    for words, folder, cache in seen:
        assert not any(c in word for word in (*words, folder, cache) for c in "%\\")
