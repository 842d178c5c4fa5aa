"""Hashing and the three file formats of DVC, held against coreutils and the pinned DVC itself."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.engine import hashing
from regrow.engine.state import FileTree
from regrow.engine.store import Store, dvc_config
from small_repository import Repository


@pytest.mark.parametrize(
    "size", [0, 1, 4095, hashing._SMALL - 1, hashing._SMALL, hashing._SMALL + 1, 9_999_999]
)
def test_digests_agree_with_coreutils(tmp_path: Path, size: int):
    path = tmp_path / "file"
    path.write_bytes((b"0123456789abcdef" * (size // 16 + 1))[:size])
    copy = tmp_path / "copy"
    with copy.open("wb") as handle:
        found = hashing.digest_file(path, handle)
    for tool, value in (("md5sum", found.md5), ("sha256sum", found.sha256)):
        assert (
            subprocess.run([tool, str(path)], capture_output=True, text=True).stdout.split()[0]
            == value
        )
    assert found.size == size
    assert copy.read_bytes() == path.read_bytes()


def test_a_copy_that_cannot_be_written_is_an_error(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * (hashing._SMALL + 5_000_000))
    with Path("/dev/full").open("wb") as full, pytest.raises(OSError, match="No space left"):
        hashing.digest_file(path, full)


@given(
    st.dictionaries(
        st.text("abcé", min_size=1, max_size=5).flatmap(lambda n: st.sampled_from([n, f"x-/{n}"])),
        st.text("0123456789abcdef", min_size=4, max_size=4),
    )
)
def test_tree_digest_does_not_depend_on_order(files: dict[str, str]):
    backwards = dict(reversed(list(files.items())))
    assert hashing.tree_sha256(files) == hashing.tree_sha256(backwards)
    if files:
        name = next(iter(files))
        assert hashing.tree_sha256(files) != hashing.tree_sha256({**files, name: "ffff0"})


def test_restore_refuses_a_damaged_object(tmp_path: Path):
    store = Store(tmp_path)
    source = tmp_path / "a"
    source.write_text("content")
    digest = store.insert_file(source)
    entry = {"md5": digest.md5, "sha256": digest.sha256, "size": digest.size}
    assert store.restore(entry, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "content"
    item = store.object_path(digest.md5)
    assert item.stat().st_mode & 0o777 == 0o444
    item.chmod(0o644)
    item.write_text("CONTENT")
    assert not store.restore(entry, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "content"
    assert not item.exists()


def test_state_notices_what_keeps_size_and_times(tmp_path: Path):
    folder = tmp_path / "data/x"
    folder.mkdir(parents=True)
    file = folder / "f"
    file.write_text("aaaa")
    old = file.stat().st_mtime_ns - 10**10
    os.utime(file, ns=(old, old))

    def look() -> tuple[str, int]:
        tree = FileTree(tmp_path, "data/x")
        found = tree.digests()["f"].sha256
        tree.save()
        return found, tree.read

    import time

    time.sleep(0.1)  # out of the clock tick in which a change could go unseen
    first, _ = look()
    assert look() == (first, 0)
    time.sleep(0.1)
    with file.open("r+") as handle:
        handle.write("bbbb")
    os.utime(file, ns=(old, old))
    second, read = look()
    assert second == hashlib.sha256(b"bbbb").hexdigest()
    assert read == 4


def test_config_is_read_as_dvc_writes_it(repository: Repository):
    assert not Store(repository.path).remote
    repository.dvc("remote", "add", "-d", "there", "https://example.org/x")
    repository.dvc("remote", "modify", "--local", "there", "url", "/tmp/y")
    store = Store(repository.path)
    assert store.remote
    assert store.remote_url == "/tmp/y"
    assert dvc_config(repository.path)["cache"]["type"].strip('"') == "reflink,copy"


def test_dir_object_and_lock_equal_what_dvc_writes(repository: Repository, tmp_path: Path):
    """`dvc add` of the same folder elsewhere gives the same address; `dvc commit` changes no byte."""
    record = json.loads(repository.read("records/tokenize.json"))
    plain = tmp_path / "plain"
    plain.mkdir()
    other = Repository(plain)
    other.git("init", "-q")
    other.dvc("init", "-q")
    other.run("cp", "-r", str(repository.path / "data/tokenize"), "tokenize")
    other.dvc("add", "-q", "tokenize")
    out = yaml.safe_load(other.read("tokenize.dvc"))["outs"][0]
    assert out["md5"] == record["output"]["md5"]
    assert (out["size"], out["nfiles"]) == (record["output"]["size"], record["output"]["nfiles"])
    mine = repository.path / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]
    theirs = other.path / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]
    assert mine.read_bytes() == theirs.read_bytes()
    before = yaml.safe_load(repository.read("dvc.lock"))
    repository.dvc("commit", "-q", "-f")
    assert yaml.safe_load(repository.read("dvc.lock")) == before
    repository.snakemake("-n")
    assert repository.dirty() == ""


def test_dvc_repro_agrees(repository: Repository):
    assert "didn't change, skipping" in repository.dvc("repro")
    repository.dvc("repro", "-q", "-f", "-s", "tokenize")
    assert repository.outcomes() == {"hit": ["tokenize"]}
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_run_cache_travels_with_dvc(repository: Repository, clone: Repository, tmp_path: Path):
    """What was ever run is known in a clone that fetched the run cache."""
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.45")
    repository.build()
    repository.dvc("remote", "add", "--local", "-d", "store", str(tmp_path / "remote"))
    repository.dvc("push", "-q", "--run-cache")
    clone.dvc("remote", "add", "--local", "-d", "store", str(tmp_path / "remote"))
    clone.dvc("fetch", "-q", "--run-cache")
    clone.edit("params/demo.yaml", "lr: 0.5", "lr: 0.45")
    assert set(clone.build()) <= {"hit", "fetched"}


def test_unknown_keys_are_looked_up_in_the_remote(
    repository: Repository, clone: Repository, tmp_path: Path
):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.45")
    repository.build()
    repository.dvc("remote", "add", "--local", "-d", "store", str(tmp_path / "remote"))
    repository.dvc("push", "-q", "--run-cache")
    clone.dvc("remote", "add", "--local", "-d", "store", str(tmp_path / "remote"))
    clone.edit("params/demo.yaml", "lr: 0.5", "lr: 0.45")
    assert set(clone.build()) <= {"hit", "fetched"}


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
        | st.sampled_from(["no", "on", "1e-5", "0o17", "010", "1_000", "~", "12:30:45", "2026-11-24", "=", "<<"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abn01", max_size=3), inner, max_size=3),
        max_leaves=8,
    )
)  # fmt: skip
def test_values_in_dvc_lock_are_read_by_dvc_as_they_were_written(value: object):
    from dvc.utils.serialize import parse_yaml

    from regrow import yaml12

    text = yaml12.dump({"v": value})
    assert yaml12.load(text) == {"v": value}
    assert parse_yaml(text, "dvc.lock") == {"v": value}


HOMES = {
    "system": {"XDG_CONFIG_DIRS": "{0}:/elsewhere"},
    "system, by its variable": {"DVC_SYSTEM_CONFIG_DIR": "{0}/dvc"},
    "user": {"XDG_CONFIG_HOME": "{0}"},
    "user, by its variable": {"DVC_GLOBAL_CONFIG_DIR": "{0}/dvc"},
    "home": {"HOME": "{0}"},
}


@pytest.mark.parametrize("level", HOMES)
@pytest.mark.parametrize("place", ["~/cache", "../cache", "/srv/a cache, shared"])
def test_the_cache_is_where_dvc_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, place: str
):
    """At whatever level it is named, with `~`, or relative to the file that names it."""
    from dvc.config import Config

    root, folder = tmp_path / "repository", tmp_path / "settings"
    (root / ".dvc").mkdir(parents=True)
    config = folder / (".config/dvc" if level == "home" else "dvc") / "config"
    config.parent.mkdir(parents=True)
    quoted = f'"{place}"' if "," in place else place
    config.write_text(f"[cache]\n    dir = {quoted}\n    shared = group\n")
    for name in (
        "XDG_CONFIG_DIRS",
        "XDG_CONFIG_HOME",
        "DVC_SYSTEM_CONFIG_DIR",
        "DVC_GLOBAL_CONFIG_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in HOMES[level].items():
        monkeypatch.setenv(name, value.format(folder))
    theirs = Config(str(root / ".dvc"))["cache"]
    mine = dvc_config(root)["cache"]
    assert Path(mine["dir"]).resolve() == Path(theirs["dir"]).resolve()
    assert mine["shared"] == theirs["shared"] == "group"
    assert Store(root).cache == Path(theirs["dir"]).resolve()


def test_a_shared_cache_may_be_written_by_the_group(tmp_path: Path):
    """As DVC makes it, whatever the umask: folders 2775, objects 444."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(
        "[cache]\n    shared = group\n    dir = ../shared/cache\n"
    )
    before = os.umask(0o077)
    try:
        store = Store(tmp_path)
        (tmp_path / "a").write_text("content")
        digest = store.insert_file(tmp_path / "a")
        store.put(store.cache / "runs/ab/abc/entry", b"{}")
    finally:
        os.umask(before)
    made = [path for path in store.cache.rglob("*") if path.is_dir()]
    assert len(made) == 6
    assert {path.stat().st_mode & 0o7777 for path in (store.cache, *made)} == {0o2775}
    assert store.object_path(digest.md5).stat().st_mode & 0o777 == 0o444
    assert (store.cache / "runs/ab/abc/entry").stat().st_mode & 0o777 == 0o664


class Foreign:
    """A cache whose files another user owns: nothing there can be removed or replaced."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("unlink", "replace"):
            real = getattr(Path, name)

            def refuse(path: Path, *args: object, real: Any = real, **more: object) -> object:
                target = Path(str(args[0])) if args else path
                theirs = store.cache in target.parents and not target.name.startswith(".")
                if theirs and target.exists():
                    raise PermissionError(1, "Operation not permitted", str(target))
                return real(path, *args, **more)

            monkeypatch.setattr(Path, name, refuse)


def test_a_damaged_object_that_cannot_be_removed_counts_as_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    store = Store(tmp_path)
    (tmp_path / "a").write_text("content")
    digest = store.insert_file(tmp_path / "a")
    entry = {"md5": digest.md5, "sha256": digest.sha256, "size": digest.size}
    item = store.object_path(digest.md5)
    item.chmod(0o644)
    item.write_text("CONTENT")
    Foreign(store, monkeypatch)
    assert store.has(digest.md5)
    assert not store.restore(entry, tmp_path / "b")
    assert "refused; it could not be removed (Operation not permitted)" in capsys.readouterr().err
    assert not store.has(digest.md5, digest.size)
    monkeypatch.setattr("regrow.engine.refused._HERE", {})
    later = Store(tmp_path)  # another process remembers it
    assert not later.has(digest.md5)
    assert later.insert_file(tmp_path / "a") == digest  # the right bytes cannot be put in its place
    assert "cannot be written in part" in capsys.readouterr().err
    monkeypatch.undo()
    item.write_text("content")  # somebody puts it right
    assert Store(tmp_path).has(digest.md5)
    assert Store(tmp_path).restore(entry, tmp_path / "b")


def test_a_right_object_of_another_user_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    store = Store(tmp_path)
    (tmp_path / "a").write_text("content")
    digest = store.insert_file(tmp_path / "a")
    Foreign(store, monkeypatch)
    assert store.insert_file(tmp_path / "a") == digest
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_cache_that_cannot_be_written_costs_the_cache_and_not_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
):
    monkeypatch.setattr("regrow.engine.store._SAID", set())

    def refuse(*args: object, **more: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    store = Store(tmp_path)
    (tmp_path / "a").write_text("content")
    assert store.insert_file(tmp_path / "a").sha256 == hashlib.sha256(b"content").hexdigest()
    assert store.insert_bytes(b"x") == hashlib.md5(b"x").hexdigest()
    store.put(store.cache / "runs/entry", b"x")
    assert capsys.readouterr().err.count("cannot be written in part") == 1


def test_a_full_disk_is_no_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", refuse)
    (tmp_path / "a").write_text("content")
    with pytest.raises(OSError, match="No space"):
        Store(tmp_path).insert_file(tmp_path / "a")
