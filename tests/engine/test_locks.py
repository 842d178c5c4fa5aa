"""Locks, also where the file system has none or the file is another user's."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from regrow.engine import locks
from regrow.engine.files import locked


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "system"))
    monkeypatch.setattr(locks, "_SAID", set())


def without(monkeypatch: pytest.MonkeyPatch, folder: Path, code: int) -> None:
    """No locks below a folder."""
    real = fcntl.flock

    def flock(handle: int, how: int) -> None:
        if str(Path(f"/proc/self/fd/{handle}").readlink()).startswith(str(folder)):
            raise OSError(code, os.strerror(code))
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_a_lock_is_held_by_one(tmp_path: Path):
    path = tmp_path / "tree/.regrow/x.lock"
    first = locks.acquire(path, block=False)
    assert first is not None and first.everywhere
    assert locks.acquire(path, block=False) is None
    first.free()
    second = locks.acquire(path, block=True)
    assert second is not None and second.everywhere
    second.free()


@pytest.mark.parametrize(
    "code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO]
)
def test_no_locks_is_not_taken_for_a_lock_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
):
    without(monkeypatch, tmp_path / "tree", code)
    path = tmp_path / "tree/x.lock"
    first = locks.acquire(path, block=False)
    assert first is not None and not first.everywhere
    assert locks.acquire(path, block=False) is None  # this machine's processes are kept apart
    first.free()
    with locked(path):
        pass
    said = capsys.readouterr().err
    assert said.count("this file system has no locks") == 1
    assert "do not start one on another machine" in said


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK])
def test_without_any_locks_work_goes_on_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
):
    without(monkeypatch, tmp_path, code)
    found = locks.acquire(tmp_path / "tree/x.lock", block=False)
    assert found == locks.Lock(None, False)
    assert "start one at a time" in capsys.readouterr().err


def test_a_folder_that_may_only_be_read_has_nothing_to_protect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    assert locks.acquire(tmp_path / "x.lock", block=False) == locks.Lock(None, False)


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="No space"):
        locks.acquire(tmp_path / "x.lock", block=False)


def test_another_users_lock_file_is_locked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "x.lock"
    path.touch()
    real = os.open

    def only_read(name: Path, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(name, flags, *mode)

    monkeypatch.setattr(os, "open", only_read)
    first = locks.acquire(path, block=False)
    assert first is not None and first.everywhere
    assert locks.acquire(path, block=False) is None
    first.free()
