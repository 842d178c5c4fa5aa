"""One process with torch and transformers loaded, from which the jobs of a run are forked.

A job that trains a model of a few thousand weights spends nine tenths of its time on loading them. Under
`REGROW_WARM=1` Snakemake's process starts a server (`regrow.flow.warm_server`) that loads them when a job
first asks, and ends with it, however that ends. Each job's function runs in a fork of its own, which starts
as the server was before any job ran, so nothing goes from one job to another. Lookup, checks and
records stay in the job's own process.

Snakemake's `benchmark` files then tell of that process only; `.regrow/runs.jsonl` has what the function took.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.flow.errors import StepFailed

VARIABLE = "REGROW_WARM"
"""1: asked for; in jobs, the address of the server"""


@dataclass(frozen=True)
class Answer:
    """What a function gave, and what its process took."""

    counts: Any
    modules: frozenset[str]
    """modules of our packages that it loaded"""
    cpu_seconds: float
    max_rss_bytes: int


class Server:
    """The server of a run, for as long as this object is there and its process lives."""

    def __init__(self) -> None:
        """Start it; it loads nothing yet. Jobs that this process starts find it."""
        # Short, whatever the repository's path: an address of a socket has 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="regrow-warm-")
        self._address = f"{self._folder}/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._address)
            listener.listen(64)
            handle = listener.fileno()
            # Of its own session: Ctrl-C reaches the jobs, and they tell their forks. The pipe ends with us.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "regrow.flow.warm_server", str(handle), self._folder],
                stdin=subprocess.PIPE, pass_fds=(handle,), start_new_session=True,
            )  # fmt: skip
        os.environ[VARIABLE] = self._address

    def close(self) -> None:
        """End the server, and the forks that are still at work."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.environ[VARIABLE] = "1"


def asked() -> bool:
    """Whether this process shall start a server."""
    return os.environ.get(VARIABLE) == "1"


def connected() -> socket.socket | None:
    """A connection to the server of this run; None where there is none (another machine, or not asked for)."""
    address = os.environ.get(VARIABLE, "")
    if not address.startswith("/"):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        return None
    return connection


def call(
    connection: socket.socket,
    job: str,
    function: str,
    idle: Collection[str],
    paths: Mapping[str, Path],
    params: tuple[Path, Collection[str]],
    output: Path,
    extra: Mapping[str, Any],
) -> Answer:
    """Call a step's function in a fork of the server; arguments as those of `hermetic.call`.

    Raises:
        StepFailed: the function failed; its traceback is on standard error.
        OSError: the disk is full (ENOSPC).
        KeyboardInterrupt: this process was interrupted; the fork was told, and has ended.
    """
    # Beside the socket: the server removes what a killed job leaves.
    place = Path(connection.getpeername()).parent
    with connection, tempfile.TemporaryDirectory(prefix="job-", dir=place) as folder:
        order = {
            "function": function,
            "idle": list(idle),
            "inputs": {name: str(path) for name, path in paths.items()},
            "params": [str(params[0]), list(params[1])],
            "output": str(output),
            "extra": {k: v for k, v in extra.items() if not isinstance(v, Path)},
            "folders": {k: str(v) for k, v in extra.items() if isinstance(v, Path)},
            "environment": dict(os.environ),
            "cwd": str(Path.cwd()),
        }
        (Path(folder) / "order.json").write_text(json.dumps(order))
        sys.stdout.flush()
        sys.stderr.flush()
        socket.send_fds(connection, [folder.encode()], [1, 2])
        end = _ended(connection)
        try:
            said = json.loads((Path(folder) / "said.json").read_text())
        except FileNotFoundError:
            status = end.get("status", "unknown: the server is gone")
            raise StepFailed(
                f"{job} ended without a result (exit status {status}; a negative one is a signal: "
                "-9 is often a lack of memory). Nothing was recorded."
            ) from None
    if "failed" in said:
        if said["errno"]:
            raise OSError(said["errno"], said["failed"])
        raise StepFailed(f"failed: {said['failed']}. Nothing was recorded.")
    modules = frozenset(said["modules"])
    return Answer(said["counts"], modules, end["cpu_seconds"], end["max_rss_bytes"])


def _ended(connection: socket.socket) -> dict[str, Any]:
    """Wait for the fork; an interrupt of this process is passed on to it first."""
    interrupted = False
    text = b""
    while True:
        try:
            chunk = connection.recv(4096)
            text += chunk
            if not chunk:
                break
        except KeyboardInterrupt:
            interrupted = True
            with contextlib.suppress(OSError):
                connection.send(b"\n")
    if interrupted:
        raise KeyboardInterrupt
    end: dict[str, Any] = json.loads(text or b"{}")
    return end
