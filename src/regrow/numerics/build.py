"""Builds the native kernels with the pinned compiler from PyPI; `python -m regrow.numerics.build`.

The library is named by the SHA-256 of its sources, flags and compiler version, so an old build
is never used by mistake and a finished one is never built again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "native"
BUILT = HERE / "_native"

TARGET = "x86_64-linux-gnu.2.17"
FLAGS = (
    "-O3",
    "-std=gnu11",
    "-Wall",
    "-Wno-psabi",
    "-fPIC",
    "-shared",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fvisibility=hidden",
    "-mprefer-vector-width=512",
    "-fno-sanitize=all",
    "-Wl,-s",
    "-target",
    TARGET,
)
LIBRARIES = {"cpu": "x86_64", "avx2": "x86_64_v3", "avx512": "x86_64_v4"}
"""library -> processor that its code is made for; `cpu` only asks which of the others may run"""


class BuildError(RuntimeError):
    """The kernels cannot be built here; the message says what to do."""


def sources() -> list[Path]:
    """The native sources and headers, sorted."""
    return sorted([*SOURCES.glob("*.c"), *SOURCES.glob("*.h")])


def digest() -> str:
    """SHA-256 over compiler version, flags and sources (64 hex digits).

    Raises:
        BuildError: the compiler package is not installed.
    """
    try:
        version = importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            "the package ziglang (the C compiler of the fma32 kernels) is not installed. "
            "Fix: `make env`, or pip install it in the version of constraints.txt"
        ) from None
    state = hashlib.sha256(repr((version, FLAGS, sorted(LIBRARIES.items()))).encode())
    for path in sources():
        state.update(f"\0{path.name}\0{path.stat().st_size}\0".encode())
        state.update(path.read_bytes())
    return state.hexdigest()


def _compile(folder: Path, library: str, cpu: str) -> None:
    """Compile one library into a folder, with names that the linker takes: it reads `%` and `\\` in a path.

    Everything is done in the folder by relative names; the caches of the compiler are beside it.
    """
    own = [p for p in sources() if p.suffix == ".c" and (p.stem == "cpu") == (library == "cpu")]
    for path in sources():
        shutil.copy(path, folder / path.name)
    caches = {f"ZIG_{kind}_CACHE_DIR": str(folder.parent / "cache") for kind in ("GLOBAL", "LOCAL")}
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-mcpu={cpu}"]
    command += [*(p.name for p in own), "-lpthread", "-o", f"{library}.so"]
    done = subprocess.run(
        command, env=os.environ | caches, capture_output=True, text=True, check=False, cwd=folder
    )
    for path in sources():
        (folder / path.name).unlink()
    if done.returncode:
        raise BuildError(
            f"the fma32 kernels did not compile ({library}):\n{done.stderr[-4000:]}\n"
            f"Command: {' '.join(command)}"
        )


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """A folder to build in: beside the finished ones, or among temporary files if that path is an odd one."""
    if any(character in str(BUILT) for character in "%\\"):
        with tempfile.TemporaryDirectory(prefix="regrow-build-") as folder:
            work = Path(folder) / "work"
            work.mkdir()
            yield work
        return
    work = Path(tempfile.mkdtemp(prefix="build-", dir=BUILT))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def build() -> Path:
    """The folder with the built libraries, built now unless it is there already.

    Several processes may build at once: each works in a folder of its own and the first to
    finish puts it in place by one rename.

    Raises:
        BuildError: no compiler, or it failed.
    """
    target = BUILT / digest()
    if target.is_dir():
        return target
    BUILT.mkdir(exist_ok=True)
    with _place() as work:
        print("regrow: building the fma32 kernels (once, about half a minute)", file=sys.stderr)
        for library, cpu in LIBRARIES.items():
            _compile(work, library, cpu)
        _put(work, target)
    return target


def _put(work: Path, target: Path) -> None:
    """Put the finished folder in place by one rename, for everybody to read."""
    whole = work
    if work.parent != target.parent:  # built elsewhere: a rename works within one file system
        whole = Path(tempfile.mkdtemp(prefix="build-", dir=target.parent))
        shutil.copytree(work, whole, dirs_exist_ok=True)
    umask = os.umask(0)
    os.umask(umask)
    whole.chmod(0o777 & ~umask)
    try:
        whole.rename(target)
    except OSError:
        if whole != work:
            shutil.rmtree(whole, ignore_errors=True)
        if not target.is_dir():
            raise


if __name__ == "__main__":
    try:
        print(build())
    except BuildError as error:
        sys.exit(f"error: {error}")
