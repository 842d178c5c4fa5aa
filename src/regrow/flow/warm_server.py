"""The server of `regrow.flow.warm`: loads packages once, forks for each job, passes signals on, tells the ends."""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from regrow.flow import jobs, loading, variables
from regrow.flow.files import disk_full

_ONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""libraries that start threads while they are loaded: threads do not live through a fork. Kernels get their
number of threads when a step asks for it"""


class _Forks:
    """The forks at work: by a handle of the process, its id and the connection of its job."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.working: dict[int, tuple[int, socket.socket]] = {}
        self._loaded: list[str] | None = None

    def accept(self) -> None:
        """Fork for a job that asks."""
        connection, _ = self.listener.accept()
        try:
            folder, streams, _, _ = socket.recv_fds(connection, 4096, 2)
            if len(streams) != 2:
                raise ValueError("no streams")
            order = json.loads((Path(folder.decode()) / "order.json").read_text())
        except (OSError, ValueError):  # it was killed meanwhile
            connection.close()
            return
        self._load(order["idle"])
        pid = os.fork()
        if pid == 0:
            self._leave(connection)
            _work(Path(folder.decode()), order, streams)
        for stream in streams:
            os.close(stream)
        self.working[os.pidfd_open(pid)] = (pid, connection)

    def _load(self, idle: list[str]) -> None:
        """Load what steps load first, without the variables of a shell; once."""
        if self._loaded is not None:
            return
        self._loaded = idle
        os.environ.update(dict.fromkeys(_ONE, "1"))
        with variables.shut_out():
            flow = jobs.flow()
            os.environ.update(flow.warm_variables)
            for name in flow.warm:
                loading.package(name, idle)
        gc.collect()
        gc.freeze()  # pages of what is loaded stay shared with the forks

    def _leave(self, own: socket.socket) -> None:
        """In the fork: close what is the server's."""
        self.listener.close()
        own.close()
        for handle, (_, connection) in self.working.items():
            os.close(handle)
            connection.close()

    def hear(self, connection: socket.socket) -> None:
        """A byte from a job: it was interrupted. Nothing more: it is gone, and its fork has no use."""
        pid = next(pid for pid, other in self.working.values() if other is connection)
        said = b""
        with contextlib.suppress(OSError):
            said = connection.recv(64)
        _signal(pid, signal.SIGTERM if said else signal.SIGKILL)

    def end(self, handle: int) -> None:
        """A fork has ended: tell its job."""
        pid, connection = self.working.pop(handle)
        os.close(handle)
        _, status, used = os.wait4(pid, 0)
        told = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "max_rss_bytes": used.ru_maxrss * 1024,
        }
        with connection, contextlib.suppress(OSError):
            connection.sendall(json.dumps(told).encode())

    def kill(self) -> None:
        """End them all."""
        for pid, _ in self.working.values():
            _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    """Interrupt a fork, or kill it with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)


def serve(listener: socket.socket, owner: int) -> None:
    """Fork for jobs until the pipe `owner` ends."""
    forks = _Forks(listener)
    while True:
        waiting: list[Any] = [owner, listener, *forks.working, *(c for _, c in forks.working.values())]
        for one in select.select(waiting, [], [])[0]:
            if one == owner:
                forks.kill()
                return
            if one is listener:
                forks.accept()
            elif isinstance(one, int):
                if one in forks.working:
                    forks.end(one)
            elif any(one is connection for _, connection in forks.working.values()):
                forks.hear(one)


def _work(folder: Path, order: dict[str, Any], streams: list[int]) -> NoReturn:
    """In the fork: become the job, call the function, leave `said.json`, end."""
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for handle, target in ((null, 0), (streams[0], 1), (streams[1], 2)):
            os.dup2(handle, target)
            os.close(handle)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _interrupt)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        said = _called(order)
        (folder / "said.json").write_text(json.dumps(said))
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException as error:
        traceback.print_exc()
        number = errno.ENOSPC if disk_full(error) else 0
        said = {"failed": f"{type(error).__name__}: {error}", "errno": number}
        (folder / "said.json").write_text(json.dumps(said))
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _called(order: dict[str, Any]) -> dict[str, Any]:
    flow = jobs.flow()
    name, sections = order["params"]
    every = flow.load(Path(name))
    params = SimpleNamespace(**{section: getattr(every, section) for section in sections})
    inputs = {key: Path(path) for key, path in order["inputs"].items()}
    folders = {key: Path(path) for key, path in order["folders"].items()}
    before = set(sys.modules)
    with variables.shut_out():
        # Read when torch first calculates, which is after the fork.
        os.environ.update(flow.warm_variables)
        function = loading.function(order["function"], order["idle"])
        counts = function(inputs, params, Path(order["output"]), **order["extra"], **folders)
    ours = sorted(m for m in set(sys.modules) - before if m.split(".")[0] in flow.packages)
    return {"counts": counts, "modules": ours}


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(handle: int, folder: str) -> None:
    """Serve at an inherited socket until standard input ends; then remove the folder of the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with socket.socket(fileno=handle) as listener:
            serve(listener, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
