"""Landlock (landlock(7)) for a step: it reads here, writes there, and finds nothing elsewhere.

Not the sandbox of untrusted code (regrow.learn.verifiers.sandbox, which lets nothing be written and refuses to
run without it): a step is ours, and what is looked for is a forgotten input.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT, _VERSION, _PATH_BENEATH = 444, 445, 446, 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""ABI -> number of file rights it knows"""
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""rights that a rule about a file, not a folder, may carry"""


def enclose(read: Iterable[Path], write: Iterable[Path]) -> bool:
    """Shut this process and its children in, for good. False where the kernel has no Landlock.

    What does not exist is passed over.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    abi = int(libc.syscall(_CREATE, None, 0, _VERSION))
    if abi < 1:
        return False
    every = (1 << _RIGHTS.get(abi, 16)) - 1
    ruleset = int(libc.syscall(_CREATE, struct.pack("<Q", every), 8, 0))
    if ruleset < 0:
        return False
    looking = _EXECUTE | _READ_FILE | _READ_DIR
    for path, rights in [*((p, looking) for p in read), *((p, every) for p in write)]:
        try:
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = rights if path.is_dir() else rights & _OF_FILES & every
        rule = struct.pack("<Qi", allowed, beneath)
        done = int(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        os.close(beneath)
        if done < 0:
            return False
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges, which Landlock wants
    done = int(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)
    return done == 0
