"""The process of `remote_worker` that a `Remote` asks: started once, as it takes longer to load DVC than to answer."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any


class Ended(Exception):
    """The process has ended without an answer; the message is what it said last."""


class Process:
    """The process, for as long as this object is there."""

    def __init__(self, root: Path) -> None:
        """Start it for the remote of the repository `root`."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process is
        self._process = subprocess.Popen(
            [sys.executable, "-m", "regrow.engine.remote_worker", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.close = weakref.finalize(self, _end, self._process)

    def ask(self, what: str, rows: list[Any], patience: float | None) -> Any:
        """Its answer, within `patience` seconds; None: however long that takes.

        Raises:
            TimeoutError: there is none by then. The process is ended.
            Ended: it failed.
            ValueError: what came is no JSON.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps([what, rows])}\n".encode())
            self._process.stdin.flush()
        try:
            return json.loads(self._line(None if patience is None else time.monotonic() + patience))
        except BaseException:  # whoever was interrupted does not wait for a transfer either
            self._process.kill()
            raise

    def _line(self, end: float | None) -> bytes:
        assert self._process.stdout is not None
        handle, found = self._process.stdout.fileno(), b""
        while not found.endswith(b"\n"):
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([handle], [], [], left)[0]:
                raise TimeoutError
            chunk = os.read(handle, 1 << 20)
            if not chunk:
                raise Ended(self._last_words())
            found += chunk
        return found

    def _last_words(self) -> str:
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {status}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, and wait until it has ended; a file system's threads may take their time."""
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
