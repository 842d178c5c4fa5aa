"""A line to the process that compares expressions (`math_server`); started when first needed."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

_WALL_SECONDS = 120.0
"""far above the server's limit on processor time: only a broken server is this slow"""
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}


class _Line:
    """One server and the lock of who may talk to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def ask(self, gold: str, answer: str) -> str:
        with self.lock:
            process = self._running()
            assert process.stdin and process.stdout
            try:
                process.stdin.write(json.dumps([gold, answer]).encode() + b"\n")
                process.stdin.flush()
                line = b""
                while not line.endswith(b"\n"):
                    if not select.select([process.stdout], [], [], _WALL_SECONDS)[0]:
                        raise RuntimeError("the math server does not answer")
                    if not (more := os.read(process.stdout.fileno(), 4096)):
                        raise RuntimeError("the math server has ended; is math-verify installed?")
                    line += more
            except BaseException:
                self.close()
                raise
            return line.decode().strip()

    def _running(self) -> subprocess.Popen[bytes]:
        # A forked process must not share its parent's line.
        if self.process is None or self.owner != os.getpid() or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "regrow.learn.verifiers.math_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
                cwd="/",
                start_new_session=True,  # an interrupt from the keyboard is not for it
            )
            self.owner = os.getpid()
        return self.process

    def close(self) -> None:
        if self.process is not None and self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()
        self.process = None


_LINE = _Line()
atexit.register(_LINE.close)


def compare(gold: str, answer: str) -> str:
    """`equal`, `different`, `time-out`, or why the two could not be compared.

    Raises:
        RuntimeError: the server does not work.
    """
    return _LINE.ask(gold, answer)


def compare_unlimited(gold: str, answer: str) -> str:
    """The same in this process, without any limit: for expressions of one's own.

    The import is also what puts the server's code into the keys of the steps that judge by it.
    """
    from regrow.learn.verifiers import math_exact, math_server

    math_exact.install()
    return math_server.compare(gold, answer)
