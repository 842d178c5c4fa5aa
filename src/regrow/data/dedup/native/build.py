"""Builds the native code with the pinned compiler from PyPI; `python -m regrow.data.dedup.native.build`.

Integers only: every processor and every build gives the same, and so does the Python that is used where nothing is built.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / "_native"
NAME = "dedup.so"
FLAGS = (
    "-O3", "-std=gnu11", "-Wall", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-sanitize=all", "-Wno-psabi", "-Wl,-s",
    "-target", "x86_64-linux-gnu.2.17", "-mcpu=x86_64",
)  # fmt: skip


class BuildError(RuntimeError):
    """The code cannot be built here; the message says why."""


def target() -> Path:
    """Where the library is, once it is built: named by the SHA-256 of sources and flags."""
    state = hashlib.sha256(repr(FLAGS).encode())
    for path in sorted([*HERE.glob("*.c"), *HERE.glob("*.h")]):
        state.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return BUILT / state.hexdigest() / NAME


def build() -> Path:
    """The library, built now unless it is there. Several processes may build at once: the first to finish puts it there.

    Raises:
        BuildError: no compiler, or it failed.
    """
    made = target()
    if made.is_file():
        return made
    try:
        importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            "the package ziglang (the compiler) is not installed. Fix: `make env`"
        ) from None
    BUILT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="regrow-build-") as folder:
        work = Path(folder)  # a path that the linker takes: it reads `%` and `\\` in one
        for path in [*HERE.glob("*.c"), *HERE.glob("*.h")]:
            shutil.copy(path, work / path.name)
        caches = {f"ZIG_{kind}_CACHE_DIR": str(work / "cache") for kind in ("GLOBAL", "LOCAL")}
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS]
        command += [*sorted(path.name for path in HERE.glob("*.c")), "-o", NAME]
        done = subprocess.run(
            command, env=os.environ | caches, capture_output=True, text=True, check=False, cwd=work
        )
        if done.returncode:
            raise BuildError(f"the code of deduplication did not compile:\n{done.stderr[-4000:]}")
        whole = Path(tempfile.mkdtemp(prefix="build-", dir=BUILT))
        shutil.copy(work / NAME, whole / NAME)
    whole.chmod(0o755)
    try:
        whole.rename(made.parent)
    except OSError:
        shutil.rmtree(whole, ignore_errors=True)
        if not made.is_file():
            raise
    return made


if __name__ == "__main__":
    try:
        print(build())
    except BuildError as error:
        sys.exit(f"error: {error}")
