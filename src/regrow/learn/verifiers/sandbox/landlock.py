"""Landlock (landlock(7)): read these paths, and nothing else; write, create, connect nowhere."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""ABI -> number of file rights it knows (execute, write, read, …, refer, truncate, ioctl)"""


def _call(*arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(*arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"landlock: {os.strerror(code)}")
    return result


def version() -> int:
    """The kernel's Landlock ABI.

    Raises:
        OSError: there is none.
    """
    return _call(_CREATE, None, 0, _VERSION)


def restrict(readable: Iterable[str], hidden: Iterable[str] = ()) -> None:
    """Let this process read below `readable` only, for good; what does not exist is passed over.

    Of the folders in `hidden` the names inside can be listed and nothing can be read. A link in
    `readable` gives no right.

    From ABI 4 on TCP is refused too, from 6 on signals and abstract sockets of outside.

    Raises:
        OSError: the kernel has no Landlock.
    """
    abi = version()
    files = (1 << _RIGHTS.get(abi, 16)) - 1
    network = 3 if abi >= 4 else 0
    scope = 3 if abi >= 6 else 0
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _call(_CREATE, struct.pack("<QQQ", files, network, scope)[:size], size, 0)
    try:
        for path, rights in _rules(list(readable), frozenset(hidden)):
            try:
                beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", rights, beneath), 0)
            os.close(beneath)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)  # no new privileges, which Landlock wants
        _call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _rules(readable: list[str], hidden: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Paths and the rights on what is beneath; rights cannot be taken back further down."""
    for path in readable:
        if os.path.islink(path):  # noqa: PTH114
            continue
        inside = {name for name in hidden if os.path.dirname(name) == path}  # noqa: PTH120
        if not os.path.isdir(path):  # noqa: PTH112
            yield path, _READ_FILE
        elif not inside:
            yield path, _READ_FILE | _READ_DIR
        else:
            yield path, _READ_DIR
            for name in sorted(os.listdir(path)):  # noqa: PTH208
                child = os.path.join(path, name)  # noqa: PTH118
                if child not in inside and not os.path.islink(child):  # noqa: PTH114
                    folder = os.path.isdir(child)  # noqa: PTH112
                    yield child, _READ_FILE | (_READ_DIR if folder else 0)
