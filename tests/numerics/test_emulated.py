"""The same training on an emulated processor of the other vendor.

Most of its time is importing torch and transformers under emulation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

QEMU = shutil.which("qemu-x86_64")
TINY = Path(__file__).with_name("tiny.py")


def run(command: list[str], **env: str) -> list[str]:
    done = subprocess.run(
        [*command, str(TINY)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | env,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


@pytest.mark.qemu
def test_training_gives_the_same_state_on_the_other_vendors_processor() -> None:
    cpu = "EPYC" if "GenuineIntel" in Path("/proc/cpuinfo").read_text() else "Haswell"
    if QEMU is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: apt-get install qemu-user)")
    python = str(Path(sys.executable).resolve())
    native = run([sys.executable])
    assert len(native) == 3
    path = os.pathsep.join(p for p in sys.path if p)
    emulated = run([QEMU, "-cpu", cpu, python], PYTHONPATH=path, REGROW_ISA="avx2")
    assert emulated == native
