"""New namespaces without a helper program: no network, no other processes, only the given paths.

What bubblewrap does, for machines that do not have it (namespaces(7), pivot_root(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterable

_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_NOATIME, _NODIRATIME, _RELATIME, _PRIVATE, _REC = 1024, 2048, 1 << 21, 1 << 18, 16384
_DETACH, _PIVOT_ROOT, _DEATH_SIGNAL = 2, 155, 1
_NOBODY = 65534

# of statvfs(3) -> of mount(2): what an outer mount has locked must be said again
_KEEP = {2: _NOSUID, 4: _NODEV, 8: _NOEXEC, 1024: _NOATIME, 2048: _NODIRATIME, 4096: _RELATIME}


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def die_with_parent() -> None:
    """Be killed when the parent dies, however it does: nobody would end what is left."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")


def enter(paths: Iterable[str], hidden: Iterable[str] = ()) -> None:
    """Go on in a child that is the only process of new namespaces and sees `paths` only, read-only.

    The folders in `hidden`, inside of these, are empty.

    The parent waits for the child and ends as it did.

    Raises:
        OSError: the kernel or an administrator does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    _check(
        libc.unshare(_NEWUSER | _NEWNS | _NEWPID | _NEWNET | _NEWIPC | _NEWUTS | _NEWCGROUP),
        "unshare",
    )
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {uid} 1"),
        ("gid_map", f"{_NOBODY} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)
    _only(libc, list(paths), list(hidden))
    die_with_parent()  # new credentials may have cleared it
    if child := os.fork():
        _wait(child)
    die_with_parent()
    if os.getppid() != 0:  # of another namespace: 0 while it lives
        os._exit(1)


def _wait(child: int) -> None:
    for stream in (0, 1, 2):
        os.close(stream)  # the child's end alone decides when they end
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _only(libc: ctypes.CDLL, paths: list[str], hidden: list[str]) -> None:
    """Make a file system that holds `paths` and nothing else, and move into it."""

    def mount(
        source: str | None, target: str, kind: str | None, flags: int, data: str = ""
    ) -> None:
        encoded = [None if v is None else v.encode() for v in (source, target, kind)]
        _check(
            libc.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}"
        )

    mount(None, "/", None, _REC | _PRIVATE)
    opened = {}
    links = {}
    for path in paths:
        if os.path.islink(path):  # noqa: PTH114
            links[path] = os.readlink(path)  # noqa: PTH115
        elif os.path.exists(path):  # noqa: PTH110
            opened[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)
    root = "/tmp"
    mount("sandbox", root, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for path, held in opened.items():
        target = root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        source = f"/proc/self/fd/{held}"
        if os.path.isdir(source):  # noqa: PTH112
            os.makedirs(target, exist_ok=True)  # noqa: PTH103
        elif not os.path.exists(target):  # noqa: PTH110
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
        mount(source, target, None, _BIND)
        flags = os.statvfs(target).f_flag
        kept = sum(to for of, to in _KEEP.items() if flags & of)
        mount(None, target, None, _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV | kept)
        os.close(held)
    for path in hidden:
        mount("sandbox", root + path, "tmpfs", _RDONLY | _NOSUID | _NODEV, "mode=555,size=4k")
    for path, target in links.items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)  # noqa: PTH103, PTH120
        if not os.path.lexists(root + path):
            os.symlink(target, root + path)  # noqa: PTH211
    os.chdir(root)
    _check(libc.syscall(_PIVOT_ROOT, b".", b"."), "pivot_root")
    _check(libc.umount2(b".", _DETACH), "umount")
    os.chdir("/")
    mount(None, "/", None, _REMOUNT | _RDONLY | _NOSUID | _NODEV)
    sys.stdout.flush()
