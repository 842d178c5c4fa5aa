"""Builds of the kernels whose results must be equal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from regrow.numerics import build, library


def builds(folder: Path) -> dict[str, library.Kernels]:
    """Those that this machine runs, and "wide", built into `folder`, by name.

    "wide" has the 12 x 32 tiles, packing and transposes of the AVX-512 build, compiled to AVX2
    instructions, so that their logic is tested on machines without AVX-512 too.
    """
    made = {isa: library.kernels(isa) for isa in library.supported()}
    assert made, "this machine has no AVX2"
    path = folder / "wide.so"
    sources = [str(p) for p in build.sources() if p.suffix == ".c" and p.stem != "cpu"]
    flags = [*build.FLAGS, "-mcpu=x86_64_v3", "-D__AVX512F__=1"]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        *flags,
        *sources,
        "-lpthread",
        "-o",
        str(path),
    ]
    caches = {f"ZIG_{kind}_CACHE_DIR": str(build.BUILT / "cache") for kind in ("GLOBAL", "LOCAL")}
    done = subprocess.run(command, env=os.environ | caches, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return made | {"wide": library.Kernels(path)}
