"""A job's standard output and error, C code's included, to the terminal and to its log file."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def tee(label: str, log: Path | None) -> Iterator[None]:
    """Send both streams to standard error, each line led by `label`, and, bare, to `log`."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    reader, writer = os.pipe()
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.close(writer)
    thread = threading.Thread(target=_copy, args=(reader, saved[1], label, log), daemon=True)
    thread.start()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        # The pipe ends when the last writer goes; a process that the step left behind must not hold us.
        thread.join(timeout=2)
        for handle in saved:
            os.close(handle)


def _copy(reader: int, terminal: int, label: str, log: Path | None) -> None:
    prefix = f"{label}: ".encode()
    step = label.split(".")[0].encode()
    file = None
    if log is not None:
        with contextlib.suppress(OSError):
            log.parent.mkdir(parents=True, exist_ok=True)
            file = log.open("wb")
    rest = b""
    while True:
        chunk = os.read(reader, 65536)
        *lines, rest = (rest + chunk).split(b"\n")
        if not chunk and rest:
            lines, rest = [rest], b""
        for line in lines:
            with contextlib.suppress(OSError):
                # A line that opens with the step's name says itself where it is from.
                lead = b"" if line.startswith(step) else prefix
                os.write(terminal, lead + line + b"\n")
            if file is not None:
                with contextlib.suppress(OSError):  # the log of a full disk
                    file.write(line + b"\n")
                    file.flush()
        if not chunk:
            break
    if file is not None:
        with contextlib.suppress(OSError):
            file.close()
