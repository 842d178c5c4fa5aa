"""The run log `.regrow/runs.jsonl`: what varies from run to run and no hash covers."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regrow.engine import git
from regrow.engine.jobs import Job

PATH = ".regrow/runs.jsonl"


@dataclass
class Entry:
    """A job under way."""

    key: str | None = None
    outcome: str = "failed"
    cpu_seconds: float = 0.0
    max_rss_bytes: int = 0
    """of processes that did work for it and are not its children"""


@contextlib.contextmanager
def entry(root: Path, job: Job) -> Iterator[Entry]:
    """Time a job; one line is appended when it ends, however it ends."""
    log = Entry()
    started = datetime.datetime.now(datetime.UTC)
    clock = time.monotonic()
    try:
        yield log
    finally:
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        line = {
            "step": job.step.name,
            "instance": job.instance,
            "key": log.key,
            "outcome": log.outcome,
            "started": started.isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - clock, 3),
            "cpu_seconds": round(
                own.ru_utime
                + own.ru_stime
                + children.ru_utime
                + children.ru_stime
                + log.cpu_seconds,
                3,
            ),
            "max_rss_bytes": max(_peak(), children.ru_maxrss * 1024, log.max_rss_bytes),
            "host": platform.node(),
            "commit": _commit(root) if log.outcome == "run" else None,
        }
        with contextlib.suppress(OSError):  # a full disk must not hide the error that matters
            path = root / PATH
            path.parent.mkdir(exist_ok=True)
            # One write to a file opened for appending: lines of jobs side by side do not mix.
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(handle, (json.dumps(line) + "\n").encode())
            finally:
                os.close(handle)


def _peak() -> int:
    """Peak memory of this process; `ru_maxrss` would count the process that started it, too."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _commit(root: Path) -> str | None:
    try:
        return git.run(root, "rev-parse", "HEAD").decode().strip() or None
    except git.Unasked:
        return None
