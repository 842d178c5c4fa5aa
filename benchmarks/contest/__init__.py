"""Contestants of a benchmark: each a process of its own, ready before the first turn, asked in turns."""

from __future__ import annotations

import os
import subprocess
import sys


def start(script: str, kinds: tuple[str, ...]) -> dict[str, subprocess.Popen[str]]:
    """The contestants' processes, ready."""
    children = {
        kind: subprocess.Popen(
            [sys.executable, script, "--contestant", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if "-v" in sys.argv else subprocess.DEVNULL,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        for kind in kinds
    }
    for kind, child in children.items():
        assert child.stdout
        if child.stdout.readline().strip() != "ready":
            raise SystemExit(f"{kind} did not start (run with -v)")
    return children


def ask(child: subprocess.Popen[str], *words: object) -> list[float]:
    """One turn."""
    assert child.stdin and child.stdout
    print(*words, file=child.stdin, flush=True)
    return [float(x) for x in child.stdout.readline().split()]
