"""Run something twice in separate, differently set up processes and compare the bytes it writes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SETTINGS: tuple[dict[str, str], ...] = (
    {
        "OMP_NUM_THREADS": "1",
        "REGROW_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
        "PYTHONHASHSEED": "1",
        "TZ": "UTC",
        "LANG": "C",
        "LC_ALL": "C",
    },
    {
        "OMP_NUM_THREADS": "2",
        "REGROW_THREADS": "2",
        "RAYON_NUM_THREADS": "2",
        "POLARS_MAX_THREADS": "2",
        "PYTHONHASHSEED": "77",
        "TZ": "Asia/Kathmandu",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    },
)


AS_A_JOB = """
from regrow.engine import loading
from regrow.learn.evaluate.offline import IDLE
loading.function("regrow.learn.model.build:empty", IDLE)
"""
"""begins code that trains or samples: it loads transformers as a job does, without packages that nothing here uses"""


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run_python(code: str, *args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `python -c code args...` in `cwd` with `env` on top of the environment."""
    cwd.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=cwd,
        env=os.environ | env,
        text=True,
        capture_output=True,
        check=False,
    )


def run_twice(code: str, tmp_path: Path, *args: str) -> dict[str, str]:
    """Run `code` under both SETTINGS, each in its own working directory, and compare.

    `code` gets the folder that it must fill as `sys.argv[1]`, then `args` (give absolute
    paths). Returns the hashes by file. Fails if a run fails, writes nothing, or writes
    other bytes than the other run.
    """
    results = []
    for number, env in enumerate(SETTINGS):
        output = tmp_path / f"run-{number}" / "output"
        output.mkdir(parents=True)
        done = run_python(code, str(output), *args, cwd=tmp_path / f"cwd-{number}", **env)
        assert done.returncode == 0, f"run {number} failed:\n{done.stderr[-4000:]}"
        results.append(hashes(output))
    first, second = results
    assert first, "the run wrote no file"
    differing = sorted(k for k in first.keys() | second.keys() if first.get(k) != second.get(k))
    assert not differing, f"files differ between two runs: {differing}"
    return first
