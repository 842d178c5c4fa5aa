"""Locks between processes, also where the file system has none.

`flock` is freed by the system however its holder ends. Not every file system has it (Lustre without
`-o flock`, some FUSE and SMB mounts): then a lock beside the system's temporary files keeps the processes of this
machine apart, and it is said that those of other machines are not. A lock that cannot be had is never
taken for one that somebody holds.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_SAID: set[Path] = set()
"""folders of which this process said that they have no locks"""


@dataclass
class Lock:
    """A lock that is held until `free`, or until the process ends."""

    handle: int | None
    """None: there is nothing to hold, since nothing can be written there, or there are no locks at all"""
    everywhere: bool
    """whether processes of other machines are kept out too"""

    def free(self) -> None:
        """Let others have it."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


def acquire(path: Path, block: bool) -> Lock | None:
    """Take the lock of this file.

    Args:
        path: made if it is not there; its content means nothing.
        block: wait until whoever holds it is done.

    Returns:
        None if another process holds it.

    Raises:
        OSError: neither because of permissions nor for lack of locks (a full disk).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _open(path)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        return Lock(None, False)
    try:
        return Lock(handle, True) if _flock(handle, block) else None
    except OSError as error:
        os.close(handle)
        return _elsewhere(path, block, error)


def _open(path: Path) -> int:
    """Open for locking; one that belongs to another user can be locked though not written."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _flock(handle: int, block: bool) -> bool:
    """Whether it was taken; closes the handle if another process holds it. Raises OSError where there are no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in _HELD:
            raise
        os.close(handle)
        return False
    return True


def _elsewhere(path: Path, block: bool, why: OSError) -> Lock | None:
    """A lock of this machine in place of one of the file system."""
    import tempfile  # seldom needed, and an answer has no millisecond for it

    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"regrow-{name}.lock"
    apart = f"Runs on this machine are kept apart by locks in {place.parent}"
    warning = "do not start one on another machine meanwhile"
    handle = None
    try:
        handle = _open(place)
        if not _flock(handle, block):
            return None
    except OSError:
        if handle is not None:
            os.close(handle)
        handle, apart, warning = None, "Nothing keeps two runs apart", "start one at a time"
    if path.parent not in _SAID:
        _SAID.add(path.parent)
        print(
            f"{path.parent}: this file system has no locks ({why.strerror}). {apart}: {warning}.",
            file=sys.stderr,
        )
    return Lock(handle, False)


@contextlib.contextmanager
def locked(path: Path, waiting: str = "") -> Iterator[None]:
    """Hold a lock between processes; the system frees it however its holder ends.

    `waiting` is said on standard error if another process holds it.
    """
    lock = acquire(path, block=False)
    if lock is None:
        if waiting:
            print(waiting, file=sys.stderr)
        lock = acquire(path, block=True)
    assert lock is not None
    try:
        yield
    finally:
        lock.free()
