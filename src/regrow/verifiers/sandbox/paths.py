"""What a sandboxed interpreter must be able to read, and which interpreter that is."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from pathlib import Path

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")


def interpreter() -> str:
    """The interpreter under the virtual environment, if this runs in one."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@functools.lru_cache(maxsize=1)
def readable() -> tuple[str, ...]:
    """The interpreter, its standard library, and the shared libraries of the system."""
    python = Path(interpreter())
    wanted = [*map(Path, _SYSTEM), python, Path(sysconfig.get_path("stdlib"))]
    shared = sysconfig.get_config_var("LIBDIR")
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and shared:
        wanted.append(Path(shared))
    wanted += [path.resolve() for path in wanted]
    return tuple(dict.fromkeys(str(p) for p in wanted if p.exists() or p.is_symlink()))


def source() -> str:
    """The folder to import this package from."""
    return str(Path(__file__).resolve().parents[3])
