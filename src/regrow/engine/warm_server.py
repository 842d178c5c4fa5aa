"""The server of `regrow.engine.warm`: loads packages once, forks for each job, passes signals on, reports the ends."""

from __future__ import annotations

import contextlib
import ctypes
import errno
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
from typing import Any, NoReturn

from regrow.engine import hermetic_child, jobs, mistakes, variables
from regrow.engine.files import disk_full
from regrow.engine.handover import HOME, Call
from regrow.engine.warm_modules import Libraries


class _Forks:
    """The forks at work: by a handle of the process, its id and the connection of its job."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.working: dict[int, tuple[int, socket.socket]] = {}
        self._loaded = Libraries()

    def accept(self) -> None:
        """Fork for a job that asks."""
        connection, _ = self.listener.accept()
        connection.settimeout(10)  # a job that was stopped in between must not stop all others
        streams: list[int] = []
        try:
            folder, streams, _, _ = socket.recv_fds(connection, 4096, 2)
            if len(streams) != 2:
                raise ValueError("no streams")
            order = json.loads((Path(folder.decode()) / "order.json").read_text())
        except (OSError, ValueError):  # it was killed meanwhile
            connection.close()
            for stream in streams:
                os.close(stream)
            return
        connection.settimeout(None)
        self._loaded.load(order)
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                _die_with(server)
                self._leave(connection)
                _work(Path(folder.decode()), order, streams, self._loaded)
            finally:  # nothing of the server's may be done in a fork
                os._exit(1)
        for stream in streams:
            os.close(stream)
        self.working[os.pidfd_open(pid)] = (pid, connection)

    def _leave(self, own: socket.socket) -> None:
        """In the fork: close what is the server's."""
        self.listener.close()
        own.close()
        for handle, (_, connection) in self.working.items():
            os.close(handle)
            connection.close()

    def hear(self, connection: socket.socket) -> None:
        """Bytes from a job: it was interrupted. An end: it has ended, and its fork has no use."""
        pid = next(pid for pid, other in self.working.values() if other is connection)
        said = b""
        with contextlib.suppress(OSError):
            said = connection.recv(64)
        _signal(pid, signal.SIGINT if said else signal.SIGKILL)

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
    """Send a fork and all that it started a signal, as a terminal does."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:  # it has not yet made its group; its id stays its own until `end`
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _die_with(server: int) -> None:
    """In a fork: die when the server does, however that is (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server:
        os._exit(1)


def serve(listener: socket.socket, owner: int) -> None:
    """Fork for jobs until the pipe `owner` ends."""
    forks = _Forks(listener)
    try:
        while True:
            connections = [connection for _, connection in forks.working.values()]
            waiting: list[Any] = [owner, listener, *forks.working, *connections]
            for one in select.select(waiting, [], [])[0]:
                if one == owner:
                    return
                if one is listener:
                    forks.accept()
                elif isinstance(one, int):
                    if one in forks.working:
                        forks.end(one)
                elif any(one is connection for _, connection in forks.working.values()):
                    forks.hear(one)
    finally:
        forks.kill()


def _work(folder: Path, order: dict[str, Any], streams: list[int], loaded: Libraries) -> NoReturn:
    """In the fork: become the job, call the function, leave `said.json`, end."""
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for handle, target in ((null, 0), (streams[0], 1), (streams[1], 2)):
            os.dup2(handle, target)
            os.close(handle)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        said = _said(folder, order, loaded)
        place = (
            folder / HOME if "closed" in order else folder
        )  # a closed fork may write nowhere else
        (place / ".said").write_text(json.dumps(said))
        (place / ".said").rename(place / "said.json")
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _said(folder: Path, order: dict[str, Any], loaded: Libraries) -> dict[str, Any]:
    """What the function gave, or how it ended otherwise."""
    try:
        return _called(folder, order, loaded)
    except SystemExit as stop:
        return {"exit": stop.code}
    except _Missing as missing:
        return {"missing": str(missing)}
    except Exception as error:
        if (status := mistakes.status(error)) is not None:
            return {"failed": str(error), "status": status}
        traceback.print_exc()
        said = f"failed: {type(error).__name__}: {error}. Nothing was recorded."
        return {"failed": said, "status": 1} | ({"errno": errno.ENOSPC} if disk_full(error) else {})


class _Missing(Exception):
    """A package is not there."""


def _called(folder: Path, order: dict[str, Any], loaded: Libraries) -> dict[str, Any]:
    loaded.forget_changed()
    # Else all forks would draw the same where nobody gives a seed.
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()
    flow = jobs.flow()
    call = Call.read(order)
    params = call.params(flow)
    before = set(sys.modules)
    with variables.shut_out():
        if call.idle:
            # Read when torch first calculates, which is after the fork.
            flow.warm_start()
        if "closed" in order:
            before = set(sys.modules) - loaded.packages
            return hermetic_child.called(folder, order, params, before, flow.packages)
        try:
            function = call.function()
        except ModuleNotFoundError as error:
            raise _Missing(str(error)) from error
        counts = call.run(function, params)
    ours = sorted(m for m in set(sys.modules) - before if m.split(".")[0] in flow.packages)
    return {"counts": counts, "modules": ours}


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
