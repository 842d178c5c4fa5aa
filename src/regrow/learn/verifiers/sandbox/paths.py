"""What a sandboxed interpreter must be able to read, and which interpreter that is.

The interpreter, its standard library, and the shared libraries that these load; no package that is
installed beside them, and nothing else of the system's folders, since all that can be read can decide a
verdict and differs between machines.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_LOADER = ("/lib64/ld-linux-x86-64.so.2", "/usr/lib64/ld-linux-x86-64.so.2")
_ALSO = ("/lib", "/lib64", "/etc/ld.so.cache", "/usr/lib/locale/C.utf8")
_PACKAGES = ("site-packages", "dist-packages")
_LIBRARIES = """
import ctypes, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.so")):
    if path.name.startswith("_tkinter"):  # would bring in all of X11
        continue
    try:
        ctypes.CDLL(str(path))
    except OSError:
        pass
mapped = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if line.count("/")}
print("\\n".join(sorted(path for path in mapped if ".so" in path)))
"""


def interpreter() -> str:
    """The interpreter under the virtual environment, if this runs in one."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@functools.lru_cache(maxsize=1)
def readable() -> tuple[str, ...]:
    """The interpreter, its standard library, and the shared libraries that they load.

    A link stands for itself: what it points to is listed too, where it may be read.
    """
    wanted = [Path(interpreter()), *_library()]
    links = [Path(path) for path in _ALSO[:2] if Path(path).is_symlink()]
    files = [Path(path) for path in _ALSO[2:]]
    shared = [path for path in _shared() if not any(path.is_relative_to(w) for w in wanted)]
    wanted += [*files, *shared, *links, *_links((*map(Path, _LOADER), *shared))]
    return tuple(dict.fromkeys(str(p) for p in wanted if p.exists() or p.is_symlink()))


@functools.lru_cache(maxsize=1)
def hidden() -> tuple[str, ...]:
    """Folders inside `readable` that must not be read: the packages installed for the interpreter."""
    return tuple(
        str(folder / name)
        for folder in _library()
        for name in _PACKAGES
        if (folder / name).is_dir()
    )


def source() -> str:
    """The folder to import this package from."""
    return str(Path(__file__).resolve().parents[4])


def _library() -> list[Path]:
    """The folders of the standard library, each as it is named and as it is."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    native = Path(str(sysconfig.get_config_var("DESTSHARED") or stdlib))
    named = [stdlib] if native.is_relative_to(stdlib) else [stdlib, native]
    return list(dict.fromkeys([*named, *(path.resolve() for path in named)]))


def _shared() -> list[Path]:
    """The shared libraries that the interpreter and its extension modules load, as files."""
    native = str(sysconfig.get_config_var("DESTSHARED") or "")
    ran = subprocess.run(
        [interpreter(), "-I", "-S", "-B", "-c", _LIBRARIES, native],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        timeout=120,
        check=True,
    )
    return [Path(line) for line in os.fsdecode(ran.stdout).splitlines()]


def _links(files: Iterable[Path]) -> list[Path]:
    """The links beside shared libraries that lead to them: a library is asked for by its short name."""
    found = []
    real = {path.resolve() for path in files if path.exists()}
    for folder in sorted({path.parent.resolve() for path in files} | {p.parent for p in real}):
        stems = {path.name.split(".so.")[0] for path in real}
        with os.scandir(folder) as entries:  # `libz.so.1`; `libz.so` is for compilers
            links = [Path(entry.path) for entry in entries if entry.is_symlink()]
        near = [path for path in links if path.name.split(".so.")[0] in stems]
        found += [path for path in near if path.resolve() in real]
    return sorted(found)
