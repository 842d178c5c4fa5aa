"""Jobs in forks of a warm server: the same answers and errors as in a process of their own, and nothing left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regrow.flow import warm
from regrow.flow.errors import StepFailed
from small_repository import ROOT

PLANTED = """
import os, signal, sys, time
from pathlib import Path
SEEN = []

def clean(inputs, params, output, *, instance):
    SEEN.append(instance)
    print("said", instance)
    os.system("echo by another process >&2")
    (output / instance).write_text(inputs["data"].read_text())
    import torch
    return {"seen": SEEN, "crawl": params.crawl is not None, "torch": "torch" in BEFORE,
            "isa": torch.backends.cpu.get_cpu_capability(), "TZ": os.environ.get("TZ"),
            "threads": len(os.listdir("/proc/self/task")), "parent": os.getppid(), "cwd": os.getcwd()}
BEFORE = set(sys.modules)

def fails(inputs, params, output):
    raise ValueError("of its own")

def full(inputs, params, output):
    raise RuntimeError("a library's words") from OSError(28, "No space left on device")

def killed(inputs, params, output):
    os.kill(os.getpid(), signal.SIGKILL)

def waits(inputs, params, output):
    (output / "pid").write_text(str(os.getpid()))
    os.rename(output / "pid", output / "began")
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        (output / "saved").write_text("")
        raise
"""
CLIENT = """
import sys
from pathlib import Path
from regrow.flow import warm
signal = __import__("signal")
def interrupt(number, frame): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupt)
place = Path(sys.argv[1])
try:
    warm.call(warm.connected(), "planted", "planted:" + sys.argv[2], (), {"data": place / "data"},
              (Path(sys.argv[3]), ("crawl",)), place, {"instance": "one"} if sys.argv[2] == "clean" else {})
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server that finds the planted module; the folder in which the module lies."""
    place = tmp_path_factory.mktemp("warm")
    (place / "planted.py").write_text(PLANTED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{place}")
        patch.setenv("TZ", "Asia/Kathmandu")
        patch.setenv("ATEN_CPU_CAPABILITY", "default")
        patch.setenv(warm.VARIABLE, "1")
        assert warm.asked()
        running = warm.Server()
        assert not warm.asked(), "its jobs start none"
        yield place
        running.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "data").write_text("rows")
    return tmp_path


def call(place: Path, name: str, **extra: Any) -> warm.Answer:
    connection = warm.connected()
    assert connection is not None
    inputs = {"data": place / "data"}
    params = (ROOT / "params/demo.yaml", ("crawl",))
    return warm.call(connection, "planted", f"planted:{name}", (), inputs, params, place, extra)


def client(place: Path, name: str) -> subprocess.Popen[str]:
    """A job's process of its own session, so that a signal reaches nobody else."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(place), name, str(ROOT / "params/demo.yaml")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def until(what: Any) -> Any:
    """What it gives once it gives anything."""
    end = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def began(place: Path) -> int:
    until((place / "began").exists)
    return int((place / "began").read_text())


def test_each_job_begins_as_the_first(server: Path, place: Path) -> None:
    one = call(place, "clean", instance="one")
    two = call(place, "clean", instance="two")
    assert one.counts["seen"] == ["one"] and two.counts["seen"] == ["two"]
    assert one.counts["torch"], "loaded before the job"
    assert one.counts["parent"] == two.counts["parent"] != os.getpid()
    assert one.counts["threads"] == 1, "a thread does not live through a fork"
    assert one.counts["crawl"] and one.counts["cwd"] == str(Path.cwd())
    assert (place / "two").read_text() == "rows"
    assert one.cpu_seconds < 30 and one.max_rss_bytes > 1 << 26


def test_torch_is_as_a_step_loads_it_itself(server: Path, place: Path) -> None:
    """No variable of the shell that started the run, but those that the step sets first."""
    code = (
        "from regrow.numerics.torch import activate; activate(); import torch;"
        "print(torch.backends.cpu.get_cpu_capability())"
    )
    cold = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={k: v for k, v in os.environ.items() if k != "ATEN_CPU_CAPABILITY"})  # fmt: skip
    found = call(place, "clean", instance="one").counts
    assert found["isa"] == cold.stdout.strip() and found["TZ"] is None


def test_streams_are_the_jobs(server: Path, place: Path) -> None:
    job = client(place, "clean")
    out, err = job.communicate()
    assert (job.returncode, out, err) == (0, "said one\n", "by another process\n")


def test_errors_are_said_as_ever(server: Path, place: Path) -> None:
    with pytest.raises(StepFailed, match="failed: ValueError: of its own"):
        call(place, "fails")
    job = client(place, "fails")
    assert 'raise ValueError("of its own")' in job.communicate()[1]
    with pytest.raises(OSError) as full:
        call(place, "full")
    assert full.value.errno == errno.ENOSPC
    with pytest.raises(StepFailed, match=r"exit status -9"):
        call(place, "killed")
    assert call(place, "clean", instance="after").counts["seen"] == ["after"]


def test_an_interrupted_job_lets_its_fork_save(server: Path, place: Path) -> None:
    job = client(place, "waits")
    pid = began(place)
    job.send_signal(signal.SIGTERM)
    assert job.wait() == 130
    assert (place / "saved").exists() and gone(pid)


def test_a_killed_jobs_fork_is_killed(server: Path, place: Path) -> None:
    job = client(place, "waits")
    pid = began(place)
    job.kill()
    job.wait()
    until(lambda: gone(pid))
    assert not (place / "saved").exists()


def test_a_killed_run_takes_server_and_forks_along(place: Path, server: Path) -> None:
    code = (
        "import os, subprocess, sys, time; os.environ['REGROW_WARM'] = '1'; from regrow.flow import warm;"
        f"s = warm.Server(); subprocess.Popen([sys.executable, '-c', {CLIENT!r}, *sys.argv[1:]]);"
        "print(s._process.pid, s._folder, flush=True); time.sleep(60)"
    )
    arguments = [str(place), "waits", str(ROOT / "params/demo.yaml")]
    run = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert run.stdout is not None
    pid, folder = run.stdout.readline().split()
    fork = began(place)
    run.kill()
    run.wait()
    until(lambda: gone(fork) and gone(int(pid)))
    until(lambda: not Path(folder).exists())


def test_without_a_server_there_is_no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    for address in ("", "0", "1", str(tmp_path / "gone")):
        monkeypatch.setenv(warm.VARIABLE, address)
        assert warm.connected() is None
