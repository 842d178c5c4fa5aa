"""The program that runs inside: it locks the door behind itself, then runs what it was given.

Started as a fresh interpreter without site packages. It reads its orders (JSON) from standard input,
takes on the limits, enters what the backend has not made yet, restricts itself by Landlock and seccomp,
tries the lock, says `READY`, and only then compiles and runs the untrusted source. Nothing it holds is
secret: it knows arguments, never expected results. What it writes afterwards is not trusted.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import random
import resource
import sys
import types
from typing import Any

from regrow.verifiers.sandbox import landlock, namespaces, seccomp

READY = b"ready\n"
_SOCKET = 41


def main() -> None:
    """Follow the orders on standard input; never returns."""
    orders = json.loads(sys.stdin.buffer.read())
    os.environ.pop("PWD", None)  # of bubblewrap
    _lock(orders)
    _write(1, READY)
    os._exit(_run(orders))


def _lock(orders: dict[str, Any]) -> None:
    backend, readable = orders["backend"], orders["readable"]
    namespaces.die_with_parent()
    if backend != "bubblewrap" and os.getppid() != orders["parent"]:
        os._exit(1)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    if backend == "namespaces":
        namespaces.enter(readable)
    for kind, value in (
        (resource.RLIMIT_NOFILE, orders["open_files"]),
        (resource.RLIMIT_AS, orders["memory_bytes"]),
        (resource.RLIMIT_CPU, orders["cpu_seconds"]),
    ):
        resource.setrlimit(kind, (value, value))
    try:
        landlock.restrict(readable)
    except OSError:
        if backend == "landlock":  # the others have a file system of their own
            raise
    os.closerange(3, 256)
    seccomp.install()
    if ctypes.CDLL(None).syscall(_SOCKET, 2, 1, 0) >= 0:
        raise OSError("the system call filter does not hold")


def _run(orders: dict[str, Any]) -> int:
    random.seed(0)  # an unseeded draw must not decide a verdict
    results = -1
    if orders["function"] is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(orders["stdin"].encode()), encoding="utf-8")
    else:
        results = os.dup(1)
        os.dup2(2, 1)  # what a function prints is no result
        sys.stdin = io.StringIO()
    try:
        names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        # A module's code, run as a function's: no `exec` below the flow, where it could hide imports
        # of our own modules from the code digest. This source is a model's.
        types.FunctionType(compile(orders["source"], "<program>", "exec"), names)()
        for arguments in orders["calls"]:
            _write(results, _result(names, orders["function"], arguments) + b"\n")
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException as error:
        _write(2, f"{type(error).__name__}: {str(error)[:500]}\n".encode("utf-8", "replace"))
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code & 255


def _result(names: dict[str, Any], function: str, arguments: list[Any]) -> bytes:
    try:
        return json.dumps({"result": names[function](*arguments)}, allow_nan=False).encode()
    except Exception as error:
        return json.dumps({"error": f"{type(error).__name__}: {str(error)[:200]}"}).encode()


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]
