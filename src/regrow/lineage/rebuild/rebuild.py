"""The whole of a rebuild: find the commit, empty folder, run the flow, compare every byte."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Ledger, Record, parse
from regrow.lineage.naming import Artifact
from regrow.lineage.rebuild.commit import commit_of, resolve_commit
from regrow.lineage.rebuild.compare import Compared, compare
from regrow.lineage.rebuild.folder import environment, prepare
from regrow.lineage.rebuild.packages import differences

LOG = "rebuild.log"
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Hooks:
    """What the caller wants to hear while it runs."""

    began: Callable[[str, Path, int], None]
    """commit, folder, number of jobs"""
    built: Callable[[Compared, float], None]
    """a job's bytes, seconds since the start"""
    quiet: Callable[[float], None]
    """nothing new for a while: seconds since the start"""


def rebuild(
    ledger: Ledger,
    artifact: Artifact,
    hooks: Hooks,
    *,
    commit: str | None = None,
    folder: Path | None = None,
    cores: str = "all",
    keep: bool = False,
) -> dict[str, Any]:
    """Rebuild `artifact` from the sources and compare every byte of its ancestry.

    Returns the verdict as a mapping: `verdict` is `equal`, `differs` or `not built`; `first`
    names the first job in flow order that is not equal and its first file; `jobs` has each.

    Raises:
        Unanswerable: no commit holds the record, or the folder cannot be prepared.
    """
    chain = ledger.ancestry(artifact.record)
    commit = (
        resolve_commit(ledger.root, commit) if commit else commit_of(ledger.root, artifact.record)
    )
    place = folder or Path(tempfile.mkdtemp(prefix="regrow-rebuild-"))
    start = time.monotonic()
    try:
        prepare(ledger.root, place, commit, chain)
        hooks.began(commit, place, len(chain))
        status, compared = _run(place, artifact.record, chain, cores, hooks, start)
        answer = _verdict(artifact, commit, chain, compared, status)
        answer["seconds"] = round(time.monotonic() - start, 1)
        if answer["verdict"] != "equal":
            answer["log"] = _last_lines(place)
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
    answer["folder"] = str(place) if keep else None
    return answer


def _run(
    place: Path, target: Record, chain: list[Record], cores: str, hooks: Hooks, start: float
) -> tuple[int, dict[str, Compared]]:
    """Run Snakemake for one record; compare each job as soon as its record is there."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        cores,
        "--keep-going",
        "--",
        target.file,
    ]
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
                for record in chain:
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


def _verdict(
    artifact: Artifact,
    commit: str,
    chain: list[Record],
    compared: dict[str, Compared],
    status: int,
) -> dict[str, Any]:
    jobs = [
        compared.get(record.name) or Compared(record.name, "not built", record.sha256)
        for record in chain
    ]
    first = next((job for job in jobs if job.state != "equal"), None)
    # A job that was not built is the fault of one before it, where that one differs.
    verdict = "equal" if first is None else first.state
    return {
        "artifact": artifact.path,
        "sha256": artifact.sha256,
        "key": artifact.record.key,
        "commit": commit,
        "verdict": verdict,
        "equal": sum(job.state == "equal" for job in jobs),
        "of": len(jobs),
        "first": None
        if first is None
        else {
            "job": first.name,
            "state": first.state,
            "file": first.files[0] if first.files else None,
            "key_equal": first.key_equal,
        },
        "packages": differences(chain),
        "status": status,
        "jobs": [job.as_json() for job in jobs],
    }


def _last_lines(place: Path, most: int = 30) -> list[str]:
    try:
        text = (place / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-most:]
