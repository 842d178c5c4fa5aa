"""Run a program in a sandbox, read what it says up to a limit, and always come back."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import selectors
import signal
import subprocess
import time
from dataclasses import asdict

from regrow.learn.verifiers.sandbox import backends, inside, paths
from regrow.learn.verifiers.sandbox.limits import Limits, Outcome, Program, Status, Unavailable

_CHUNK = 1 << 16
_GRACE = 10.0
"""seconds a killed process may take to vanish"""
_USED_UP = 0.75
"""part of the processor seconds that must have passed before a kill can be RLIMIT_CPU's: the kernel
counts them in clock ticks, which may run ahead of the clock by some percent"""


def run(program: Program, limits: Limits | None = None, backend: str | None = None) -> Outcome:
    """Run untrusted Python.

    Whether the outcome is a time-out depends on the machine's speed; nothing else does.

    Args:
        program: what to run.
        limits: what it may use.
        backend: one of `backends.BACKENDS`; None: the best that works here.

    Raises:
        Unavailable: no sandbox can be made; the program was not started.
    """
    return _attempt(program, limits or Limits(), backend or best())


@functools.lru_cache(maxsize=1)
def best() -> str:
    """The first backend that works on this machine.

    Raises:
        Unavailable: none does; says why for each.
    """
    reasons = []
    for backend in backends.BACKENDS:
        reason = why_not(backend)
        if reason is None:
            return backend
        reasons.append(f"{backend}: {reason}")
    raise Unavailable(
        "No sandbox on this machine, so untrusted code is not run. "
        + "; ".join(reasons)
        + ". Fix: install bubblewrap, or allow unprivileged user namespaces."
    )


@functools.lru_cache(maxsize=len(backends.BACKENDS))
def why_not(backend: str) -> str | None:
    """Why a backend does not work here; None if it does."""
    try:
        outcome = _attempt(Program("print(6 * 7)"), Limits(), backend)
    except (Unavailable, OSError) as error:
        return str(error)
    return None if outcome.stdout == b"42\n" else f"a trial gave {outcome}"


def _attempt(program: Program, limits: Limits, backend: str) -> Outcome:
    orders = {
        **asdict(program),
        **asdict(limits),
        "backend": backend,
        "parent": os.getpid(),
        "readable": list(paths.readable()),
        "hidden": list(paths.hidden()),
    }
    # Before the process: what it uses up until we go on counts for it too.
    started = time.monotonic()
    process = subprocess.Popen(
        backends.command(backend),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=backends.ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    with _Watch(process, json.dumps(orders).encode(), limits) as watch:
        cause = watch.until_end()
        code = process.wait(_GRACE)
    took = time.monotonic() - started
    out, err = bytes(watch.received[1]), bytes(watch.received[2])
    if not out.startswith(inside.READY):
        said = err.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable(said[-1] if said else f"it did not start ({cause or code})")
    out = out.removeprefix(inside.READY)[: limits.output_bytes]
    err = err[: limits.output_bytes]
    # How a parent of the program says that a signal killed it; 255 is an exit status (`exit(-1)`).
    if 128 < code <= 128 + signal.SIGRTMAX:
        code = 128 - code
    status: Status = cause or ("killed" if code < 0 else "ended")
    if code == -signal.SIGKILL and status == "killed" and took >= _USED_UP * limits.cpu_seconds:
        status = "time-out"  # the kernel's, by RLIMIT_CPU: a program can send itself no signal
    return Outcome(status, code, out, err)


class _Watch:
    """Feeds a process, drains it, and kills it when its time or its output is used up."""

    def __init__(self, process: subprocess.Popen[bytes], data: bytes, limits: Limits) -> None:
        self.process = process
        self.data = memoryview(data)
        self.limits = limits
        self.received = {1: bytearray(), 2: bytearray()}
        self.ended = os.pidfd_open(process.pid)
        self.selector = selectors.DefaultSelector()
        assert process.stdin and process.stdout and process.stderr
        for stream in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(stream.fileno(), False)
        self.selector.register(process.stdin, selectors.EVENT_WRITE, 0)
        self.selector.register(process.stdout, selectors.EVENT_READ, 1)
        self.selector.register(process.stderr, selectors.EVENT_READ, 2)
        self.selector.register(self.ended, selectors.EVENT_READ, 3)

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.returncode is None:
            self._kill()
            self.process.wait(_GRACE)
        self.selector.close()
        os.close(self.ended)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # unsent orders
                    stream.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def until_end(self) -> Status | None:
        """Wait until the process has ended; the reason why it was made to, if it was."""
        deadline = time.monotonic() + self.limits.wall_seconds
        cause: Status | None = None
        while True:
            left = deadline - time.monotonic()
            if left <= 0 and cause is None:
                cause = "time-out"
                self._kill()
                deadline = time.monotonic() + _GRACE
                continue
            if left <= 0:
                raise Unavailable("a killed program does not end")
            keys = [key for key, _ in self.selector.select(left)]
            for key in keys:
                if key.data == 0:
                    self._send()
                elif key.data < 3:
                    self._receive(key)
            if cause is None and self._flooded():
                cause = "output"
                self._kill()
                deadline = time.monotonic() + _GRACE
            # Streams are read before the end is believed: what was written before it is there.
            if any(key.data == 3 for key in keys):
                self._drain()
                if cause is None and self._flooded():
                    cause = "output"
                return cause

    def _flooded(self) -> bool:
        return any(
            len(received) > self.limits.output_bytes + len(inside.READY)
            for received in self.received.values()
        )

    def _send(self) -> None:
        assert self.process.stdin
        try:
            self.data = self.data[os.write(self.process.stdin.fileno(), self.data) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.data = self.data[:0]
        if not self.data:
            self.selector.unregister(self.process.stdin)
            self.process.stdin.close()

    def _receive(self, key: selectors.SelectorKey) -> bool:
        """Read once; whether there may be more."""
        try:
            data = os.read(key.fd, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self.selector.unregister(key.fileobj)
            return False
        room = self.limits.output_bytes + len(inside.READY) + 1 - len(self.received[key.data])
        self.received[key.data] += data[: max(0, room)]
        return room > 0

    def _drain(self) -> None:
        """Read what lies in the pipes of a process that has ended."""
        for key in list(self.selector.get_map().values()):
            if key.data in self.received:
                while self._receive(key):
                    pass
