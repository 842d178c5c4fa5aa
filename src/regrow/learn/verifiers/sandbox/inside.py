"""The program that runs inside: it locks the door behind itself, then runs what it was given.

Started as a fresh interpreter without site packages. It reads its orders (JSON) from standard input,
takes on the limits, enters what the backend has not made yet, restricts itself by Landlock and seccomp,
tries the lock, says `READY`, and only then compiles and runs the untrusted source, with the program's
input where its orders were. Nothing it holds is secret: it knows arguments, never expected results.
What it writes afterwards is not trusted.
"""

from __future__ import annotations

import builtins
import ctypes
import fcntl
import json
import os
import posix
import random
import resource
import site
import sys
import types
from typing import Any, NoReturn

from regrow.learn.verifiers.sandbox import landlock, namespaces, seccomp

READY = b"ready\n"
_SOCKET = 41
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK


def main() -> None:
    """Follow the orders on standard input; never returns."""
    orders = json.loads(_all_of_input())
    _give_input(orders["stdin"].encode())
    os.environ.pop("PWD", None)  # of bubblewrap
    _lock(orders)
    _one_machine()
    _write(1, READY)
    if orders["function"] is None:
        _script(orders["source"])
    else:
        os._exit(_calls(orders))


def _all_of_input() -> bytes:
    """What file descriptor 0 holds, past `sys.stdin`, which the program shall find unread."""
    parts = []
    while part := os.read(0, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def _give_input(data: bytes) -> None:
    """Let file descriptor 0 be a file with the program's input, as after `python script.py < file`."""
    file = os.memfd_create("input", os.MFD_ALLOW_SEALING)
    _write(file, data)
    os.lseek(file, 0, os.SEEK_SET)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    os.dup2(file, 0)
    os.close(file)


def _one_machine() -> None:
    """Let `os` name the same machine everywhere; the system calls behind it are refused."""
    machine = os.uname_result(("Linux", "sandbox", "0", "0", "x86_64"))
    answers = {
        "uname": lambda: machine,
        "cpu_count": lambda: 1,
        "sched_getaffinity": lambda pid: {0},
    }
    for name, answer in answers.items():
        setattr(os, name, answer)
        setattr(posix, name, answer)


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
        namespaces.enter(readable, orders["hidden"])
    for kind, value in (
        (resource.RLIMIT_NOFILE, orders["open_files"]),
        (resource.RLIMIT_AS, orders["memory_bytes"]),
        (resource.RLIMIT_CPU, orders["cpu_seconds"]),
    ):
        resource.setrlimit(kind, (value, value))
    try:
        landlock.restrict(readable, orders["hidden"])
    except OSError:
        if backend == "landlock":  # the others have a file system of their own
            raise
    os.closerange(3, 256)
    seccomp.install()
    if ctypes.CDLL(None).syscall(_SOCKET, 2, 1, 0) >= 0:
        raise OSError("the system call filter does not hold")


def _script(source: str) -> NoReturn:
    """Run a program as `python program.py` does, up to the interpreter's own end."""
    random.seed(0)  # an unseeded draw must not decide a verdict
    site.setquit()
    site.setcopyright()
    site.sethelper()
    sys.argv[:] = ["program.py"]
    module = types.ModuleType("__main__")
    vars(module).update(__file__="program.py", __builtins__=builtins)
    sys.modules["__main__"] = module
    try:
        _executed(source, vars(module))
    except SystemExit:
        raise
    except BaseException as error:
        inner = error.__traceback__
        while inner is not None and inner.tb_frame.f_code.co_filename != "program.py":
            inner = inner.tb_next
        sys.excepthook(type(error), error.with_traceback(inner), inner)
        raise SystemExit(1) from None
    raise SystemExit(0)


def _executed(source: str, names: dict[str, Any]) -> None:
    # A module's code, run as a function's: no `exec` below the flow, where it could hide imports
    # of our own modules from the code digest. This source is a model's.
    types.FunctionType(compile(source, "program.py", "exec"), names)()


def _calls(orders: dict[str, Any]) -> int:
    """Run a program and call its function; the exit status."""
    random.seed(0)
    results = os.dup(1)
    os.dup2(2, 1)  # what a function prints is no result
    try:
        names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
        _executed(orders["source"], names)
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
