"""`snakemake`, `dvc` and `regrow`, started by forking a process that has loaded what they import: most of a call's cost.

What is called is the program's own entry point, in a process of its own with the arguments, the folder, the
environment and the standard streams of the call. Nothing of `regrow` is loaded before the fork, so the code that
PYTHONPATH names is what runs. A call that wants another interpreter (a hash seed, a locale, a time zone, a number of
threads) starts one: see `serves`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = ("snakemake", "dvc", "regrow")
SPENT = [0.0]
"""CPU seconds of all calls so far"""
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZ", "OMP_", "RAYON_", "POLARS_", "MALLOC_", "LD_")
"""variables that a process reads when it starts; PYTHONPATH is followed"""
_AT_START = ("snakemake_*_plugin_*", "sitecustomize.py", "usercustomize.py")
_FDS = 2


def serves(program: str, env: Mapping[str, str]) -> bool:
    """Whether a call can be forked: a program that is loaded, under the variables that this process began with.

    Snakemake looks for its plugins while it is imported, and Python for `sitecustomize` when it starts, so a call that
    brings one starts a process.
    """
    brought = [Path(place) for place in env.get("PYTHONPATH", "").split(os.pathsep) if place]
    if any(next(place.glob(odd), None) for place in brought for odd in _AT_START):
        return False
    names = {n for n in (*env, *os.environ) if n.startswith(_OF_THE_INTERPRETER)} - {"PYTHONPATH"}
    return program in PROGRAMS and all(env.get(n) == os.environ.get(n) for n in names)


def run(
    args: tuple[str, ...], cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run(args, cwd=cwd, env=env, capture_output=True, text=True)` returns."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(_server())
        order = {"args": list(args), "cwd": str(cwd), "env": dict(env)}
        content = json.dumps(order).encode()
        head = len(content).to_bytes(8, "big")
        socket.send_fds(connection, [head], [out.fileno(), err.fileno()])
        connection.sendall(content)
        reply = b"".join(iter(lambda: connection.recv(64), b""))
        assert reply, f"{args}: the server is gone"
        code, seconds = reply.split()
        SPENT[0] += float(seconds)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    return subprocess.CompletedProcess(args, int(code), *texts)


_STARTED: list[tuple[str, subprocess.Popen[bytes]]] = []


def _server() -> str:
    """The address of the server of this process, started at the first call."""
    if not _STARTED:
        folder = tempfile.mkdtemp(prefix="regrow-test-")
        address = f"{folder}/socket"
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        process = subprocess.Popen(
            [sys.executable, __file__, address],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        _STARTED.append((address, process))
        atexit.register(_stop)
    return _STARTED[0][0]


def _stop() -> None:
    import shutil

    address, process = _STARTED[0]
    process.terminate()
    process.wait()
    shutil.rmtree(Path(address).parent, ignore_errors=True)


# What follows runs in the server.


_LOADED = (
    "snakemake.cli", "snakemake.executors.local", "snakemake.io.fmt", "snakemake.linting", "snakemake.report",
    "snakemake.scheduling.job_scheduler", "smart_open", "yte", "numpy",
    "jinja2", "boto3", "dvc.cli", "dvc.cli.parser", "dvc.cachemgr", "dvc._debug", "dvc.analytics", "dvc.commands.checkout", "dvc.commands.data_sync", "dvc.commands.repro",
    "dvc.commands.status", "dvc.repo", "dvc.repo.fetch", "dvc.repo.push", "dvc.repo.reproduce", "dvc.repo.status",
    "dvc.output", "dvc.stage", "dvc.stage.cache", "dvc.data_cloud", "dvc.fs", "dvc_data.index", "dvc_data.hashfile.db",
    "dulwich.repo", "diskcache", "scmrepo.git", "ruamel.yaml", "pygtrie", "sqltrie",
    "polars", "pydantic", "yaml", "tokenizers", "blake3", "cryptography.hazmat.primitives.asymmetric.ed25519",
)  # fmt: skip
"""modules that the programs load"""


def _serve(address: str) -> None:
    import importlib

    for name in _LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert not any(name.split(".")[0] == "regrow" for name in sys.modules)
    assert threading.active_count() == 1, threading.enumerate()
    import gc

    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _watch(connection)
        connection.close()
        while _reaped():
            pass


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _watch(connection: socket.socket) -> None:
    """Fork the program, and say how it ended."""
    head, fds, _, _ = socket.recv_fds(connection, 8, _FDS)
    content = b""
    while len(content) < int.from_bytes(head, "big"):
        content += connection.recv(1 << 20)
    child = os.fork()
    if child == 0:
        connection.close()
        _become(json.loads(content), fds)
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    connection.sendall(f"{os.waitstatus_to_exitcode(status)} {seconds}".encode())
    os._exit(0)


def _become(order: dict[str, object], fds: list[int]) -> None:
    """Be the program, from its entry point to its end."""
    args, env = order["args"], order["env"]
    assert isinstance(args, list) and isinstance(env, dict)
    os.dup2(fds[0], 1)
    os.dup2(fds[1], 2)
    for fd in fds:
        os.close(fd)
    os.chdir(str(order["cwd"]))
    os.environ.clear()
    os.environ.update(env)
    program = Path(sys.executable).parent / args[0]
    sys.argv[:] = [str(program), *args[1:]]
    ahead = [p for p in env.get("PYTHONPATH", "").split(os.pathsep) if p]
    sys.path[:] = [str(program.parent), *ahead, *sys.path[1:]]
    sys.path_importer_cache.clear()
    code: object = 1
    try:
        exec(compile(program.read_text(), str(program), "exec"), {"__name__": "__main__"})
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr, flush=True)
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve(sys.argv[1])
