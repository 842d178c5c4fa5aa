"""Run the flow, or one job of it, in the folder of a rebuild, and compare as outputs appear."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regrow.engine.present import DEFAULT_PARAMS
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record, parse
from regrow.prove.rebuild.compare import Compared, compare
from regrow.prove.rebuild.folder import environment

LOG = "rebuild.log"
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Hooks:
    """What the caller wants to hear while it runs."""

    began: Callable[[str, Path, int, list[str]], None]
    """commit, folder, number of jobs, numerics classes (each tried on this machine)"""
    built: Callable[[Compared, float], None]
    """a job's bytes, seconds since the start"""
    quiet: Callable[[float], None]
    """nothing new for a while: seconds since the start"""


def flow(target: Record, cores: str) -> list[str]:
    """The command that makes a record from the sources."""
    return [
        *(sys.executable, "-m", "snakemake", "--cores", cores, "--keep-going"),
        *("--", target.file),
    ]


def job(target: Record) -> list[str]:
    """The command that runs one job, its inputs being there: what the rule of its step calls.

    Not through Snakemake, which would ask for the inputs of the inputs too.
    """
    instance = [] if target.instance is None else ["--instance", target.instance]
    return [
        *(sys.executable, "-m", "regrow.cli.main", "run", target.step, *instance),
        *("--params", DEFAULT_PARAMS),
    ]


def execute(
    place: Path, command: list[str], jobs: list[Record], hooks: Hooks, start: float
) -> tuple[int, dict[str, Compared]]:
    """Run a command in `place`; compare each job as soon as its record is there."""
    compared: dict[str, Compared] = {}
    heard = time.monotonic()
    with (place / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=environment(place),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            running = True
            while running:
                running = process.poll() is None
                for record in jobs:
                    if record.name not in compared and (key := _key(place, record)):
                        compared[record.name] = compare(place, record, key)
                        heard = time.monotonic()
                        hooks.built(compared[record.name], heard - start)
                if running:
                    if time.monotonic() - heard > 15:
                        heard = time.monotonic()
                        hooks.quiet(heard - start)
                    time.sleep(_POLL_SECONDS)
        finally:
            _stop(process)
    return int(process.returncode), compared


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the flow and what it started (after Ctrl-C here, or an error of ours)."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _key(place: Path, record: Record) -> str | None:
    try:
        return parse((place / record.file).read_bytes(), record.file).key
    except (OSError, Unanswerable):
        return None


def last_lines(place: Path, most: int = 30) -> list[str]:
    """The end of the log; [] where there is none."""
    try:
        text = (place / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-most:]
