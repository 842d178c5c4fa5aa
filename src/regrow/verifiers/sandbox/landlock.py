"""Landlock (landlock(7)): read these paths, and nothing else; write, create, connect nowhere."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

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


def restrict(readable: Iterable[str]) -> None:
    """Let this process read below `readable` only, for good; what does not exist is passed over.

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
        for path in readable:
            try:
                beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            rights = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)  # noqa: PTH112
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", rights, beneath), 0)
            os.close(beneath)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)  # no new privileges, which Landlock wants
        _call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
