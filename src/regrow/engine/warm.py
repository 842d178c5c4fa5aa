"""One process with the libraries of the steps loaded, from which the jobs of a run are forked.

A job that trains a model of a few thousand weights spends nine tenths of its time on loading torch and transformers,
one that writes a card half of it on Polars and the model of the params. Under `REGROW_WARM=1` Snakemake's process
starts a server (`regrow.engine.warm_server`) that loads them when a job first needs them, and ends with it, however that ends. Each job's function runs in a fork of its own, which starts
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.engine import variables
from regrow.engine.errors import StepFailed
from regrow.engine.handover import HOME, Call
from regrow.engine.jobs import TABLE_VARIABLE

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
    seen: tuple[str, ...] = ()
    """of a closed fork: what its key does not count"""


class Server:
    """The server of a run, for as long as this object is there and its process lives."""

    def __init__(self) -> None:
        """Start it; it loads nothing yet. Jobs that this process starts find it."""
        # Short, whatever the repository's path: an address of a socket has 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="regrow-warm-")
        address = f"{self._folder}/socket"
        (Path(self._folder) / "serves").write_text(_served())
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(64)
            handle = listener.fileno()
            # Of its own session: Ctrl-C reaches the jobs, and they tell their forks. The pipe ends with us.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "regrow.engine.warm_server", str(handle), self._folder],
                stdin=subprocess.PIPE, pass_fds=(handle,), start_new_session=True,
            )  # fmt: skip
        os.environ[VARIABLE] = address

    def close(self) -> None:
        """End the server, and the forks that are still at work."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:  # its forks end with it
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.environ[VARIABLE] = "1"


def asked() -> bool:
    """Whether this process shall start a server, and can (Linux 5.3)."""
    if os.environ.get(VARIABLE) != "1":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        print(
            f"{VARIABLE}: not on this system; jobs run in processes of their own.", file=sys.stderr
        )
        return False
    return True


def connected() -> socket.socket | None:
    """A connection to the server of this run; None where there is none (another machine, other code, not asked for)."""
    address = Path(os.environ.get(VARIABLE, ""))
    if not address.is_absolute():
        return None
    try:
        if (address.parent / "serves").read_text() != _served():
            return None
    except OSError:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        return None
    return connection


def _served() -> str:
    """What forks run: the code, packages and table of steps of another repository or environment are not ours."""
    table = os.environ.get(TABLE_VARIABLE, "")
    return "\n".join([str(Path(__file__).parent), sys.prefix, sys.version, table])


def call(
    connection: socket.socket, job: str, call: Call, closed: Mapping[str, Any] | None = None
) -> Answer:
    """Call a step's function in a fork of the server.

    Args:
        connection: to the server.
        job: its name, for messages.
        call: what to call, and with what.
        closed: what the fork may see, where it is shut in (`regrow.engine.hermetic`).

    Raises:
        StepFailed: the function failed; its traceback is on standard error.
        ModuleNotFoundError: a package that it imports is not there.
        OSError: the disk is full (ENOSPC).
        KeyboardInterrupt: this process was interrupted; the fork was signalled, and has ended.
        SystemExit: so the function ended.
    """
    # Beside the socket: the server removes what a killed job leaves.
    place = Path(connection.getpeername()).parent
    with connection, tempfile.TemporaryDirectory(prefix="job-", dir=place) as folder:
        order = {**call.written(), "environment": dict(os.environ), "cwd": str(Path.cwd())}
        if closed is not None:
            home = Path(folder) / HOME
            home.mkdir()
            order |= {"closed": dict(closed), "environment": variables.closed(home), "cwd": folder}
        answers = Path(folder) if closed is None else Path(folder) / HOME
        (Path(folder) / "order.json").write_text(json.dumps(order))
        sys.stdout.flush()
        sys.stderr.flush()
        socket.send_fds(connection, [folder.encode()], [1, 2])
        end, interrupted = _ended(connection)
        try:
            said = json.loads((answers / "said.json").read_text())
        except (FileNotFoundError, ValueError):
            said = {}
    if "exit" in said:  # of its own will, after it has saved
        raise SystemExit(said["exit"])
    if interrupted:
        raise KeyboardInterrupt
    if "missing" in said:
        raise ModuleNotFoundError(said["missing"])
    if "errno" in said:
        raise OSError(said["errno"], said["failed"])
    if "failed" in said:
        raise StepFailed(said["failed"], said["status"])
    if "counts" not in said or "cpu_seconds" not in end:
        status = end.get("status", "unknown: the server has ended")
        raise StepFailed(
            f"{job} ended without a result (exit status {status}; a negative one is a signal: "
            "-9 is often a lack of memory). Nothing was recorded."
        )
    modules = frozenset(said["modules"])
    return Answer(
        said["counts"],
        modules,
        end["cpu_seconds"],
        end["max_rss_bytes"],
        tuple(said.get("seen", ())),
    )


def _ended(connection: socket.socket) -> tuple[dict[str, Any], bool]:
    """Wait for the fork, to which each interrupt of this process is passed on; how it ended, whether there was one."""
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
    end: dict[str, Any] = json.loads(text or b"{}")
    return end, interrupted
