"""Builds the native kernels with the pinned compiler from PyPI; `python -m regrow.numerics.build`.

The library is named by the SHA-256 of its sources, flags and compiler version, so an old build
is never used by mistake and a finished one is never built again.
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
            "Mend: `make env`, or pip install it in the version of constraints.txt"
        ) from None
    state = hashlib.sha256(repr((version, FLAGS, sorted(LIBRARIES.items()))).encode())
    for path in sources():
        state.update(f"\0{path.name}\0{path.stat().st_size}\0".encode())
        state.update(path.read_bytes())
    return state.hexdigest()


def _compile(folder: Path, library: str, cpu: str) -> None:
    own = [p for p in sources() if p.suffix == ".c" and (p.stem == "cpu") == (library == "cpu")]
    caches = {f"ZIG_{kind}_CACHE_DIR": str(BUILT / "cache") for kind in ("GLOBAL", "LOCAL")}
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, f"-mcpu={cpu}"]
    command += [*map(str, own), "-lpthread", "-o", str(folder / f"{library}.so")]
    done = subprocess.run(
        command, env=os.environ | caches, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(
            f"the fma32 kernels did not compile ({library}):\n{done.stderr[-4000:]}\n"
            f"Command: {' '.join(command)}"
        )


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
    work = Path(tempfile.mkdtemp(prefix="build-", dir=BUILT))
    try:
        print("regrow: building the fma32 kernels (once, about half a minute)", file=sys.stderr)
        for library, cpu in LIBRARIES.items():
            _compile(work, library, cpu)
        try:
            work.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


if __name__ == "__main__":
    try:
        print(build())
    except BuildError as error:
        sys.exit(f"error: {error}")
