"""Jobs in forks of a warm server: the same answers and errors as in a process of their own, and nothing left behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from determinism import run_python
from landlocked import LANDLOCKED
from regrow.engine import hermetic, warm
from regrow.engine.errors import StepFailed
from regrow.engine.handover import Call
from small_repository import ROOT

PLANTED = """
import os, signal, subprocess, sys, time
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

def began(output):
    (output / "pid").write_text(str(os.getpid()))
    os.rename(output / "pid", output / "began")

def waits(inputs, params, output):
    began(output)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        (output / "saved").write_text("")
        raise

def worker(inputs, params, output):
    child = subprocess.Popen(["sleep", "60"])
    (output / "child").write_text(str(child.pid))
    began(output)
    while True:  # "the workers have it too", as regrow.learn.train.parallel says
        try:
            child.wait()
            sys.exit(130)
        except KeyboardInterrupt:
            continue

def stubborn(inputs, params, output):
    from regrow.learn.train.interrupt import Interrupt
    with Interrupt():
        began(output)
        for _ in range(600):
            time.sleep(0.1)

def saves(inputs, params, output):
    began(output)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("saved, goes on from here")
        sys.exit(130)

def offline(inputs, params, output):
    import huggingface_hub.constants, tqdm
    return {"offline": huggingface_hub.constants.HF_HUB_OFFLINE, "silent": tqdm.tqdm(disable=None).disable}

def numbers(inputs, params, output):
    import numpy, random
    return {"drawn": [numpy.random.random(), random.random()]}

def ours(inputs, params, output):
    import regrow.learn.evaluate.offline
    return {"loaded": regrow.learn.evaluate.offline.__name__ in BEFORE}

def light(inputs, params, output):
    params = sys.modules["regrow.params.schema"]
    return {"there": sorted({"torch", "polars", "jinja2", "regrow.params.schema"} & BEFORE), "params": id(params)}

def lacks(inputs, params, output):
    import nobody_has_this

def peeps(inputs, params, output):
    try:
        return (inputs["data"].parent / "secret").read_text()
    except OSError:
        return "refused"

def package(inputs, params, output):
    import tabulate

def listed(inputs, params, output):
    (output / "made").write_text(inputs["data"].read_text())
    import regrow.learn.evaluate.offline
    return [sorted(os.environ), os.getcwd() == str(Path(os.environ["HOME"]).parent)]
"""
MODEL = ("sklearn",)
"""packages that are hidden while a step loads what runs a model"""
CLIENT = """
import sys
from pathlib import Path
from regrow.engine import warm
from regrow.engine.handover import Call
signal = __import__("signal")
signal.signal(signal.SIGTERM, signal.default_int_handler)
place = Path(sys.argv[1])
try:
    extra = {"instance": "one"} if sys.argv[2] == "clean" else {}
    call = Call("planted:" + sys.argv[2], ("sklearn",), {"data": place / "data"}, Path(sys.argv[3]), ("crawl",), place, extra)
    warm.call(warm.connected(), "planted", call)
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


def call(
    place: Path, name: str, module: str = "planted", idle: tuple[str, ...] = MODEL, **extra: Any
) -> warm.Answer:
    connection = warm.connected()
    assert connection is not None
    inputs = {"data": place / "data"}
    params = ROOT / "params/demo.yaml"
    one = Call(f"{module}:{name}", idle, inputs, params, ("crawl",), place, extra)
    return warm.call(connection, "planted", one)


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


def test_what_is_loaded_first_is_kept_from_the_network(server: Path, place: Path) -> None:
    """As `regrow.learn.evaluate.offline` does it before a step of its own process loads them."""
    assert call(place, "offline").counts == {"offline": True, "silent": True}


def test_forks_share_no_random_state(server: Path, place: Path) -> None:
    """A step that forgets its seed must not look deterministic."""
    one, two = (call(place, "numbers").counts["drawn"] for _ in range(2))
    assert one[0] != two[0] and one[1] != two[1]


def test_code_of_ours_is_loaded_in_the_fork(server: Path, place: Path) -> None:
    """The table of steps loads some; an edit during a run is in the key of the next job."""
    found = call(place, "ours")
    assert not found.counts["loaded"] and "regrow.learn.evaluate.offline" in found.modules


def test_steps_that_run_no_model_share_what_reads_tables(server: Path, place: Path) -> None:
    """The model of the params is loaded once; none of it as one job of another sees it."""
    one, two = (call(place, "light", idle=()).counts for _ in range(2))
    assert {"jinja2", "polars", "regrow.params.schema"} <= set(one["there"])
    assert one == two, "the same module, at the same address"


LIGHT = """
import os, sys
from pathlib import Path
from regrow.engine import warm
from regrow.engine.handover import Call
sys.path.insert(0, str(Path(warm.__file__).parents[2]))
os.environ["REGROW_WARM"] = "1"
server = warm.Server()
place = Path(sys.argv[1])
for text in ("", "PLANTED = 1\\n"):
    with open(place / "src/regrow/params/base.py", "a") as file:
        file.write(text)
    call = Call("planted:light", (), {}, Path(sys.argv[2]), ("crawl",), place, {})
    print(warm.call(warm.connected(), "planted", call).counts)
server.close()
"""


def test_an_edit_of_the_params_models_is_seen_by_the_next_job(place: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "_native", "prove", "publish", "ask", "cli")
    shutil.copytree(ROOT / "src/regrow", place / "src/regrow", ignore=ignored)
    (place / "src/planted.py").write_text(
        "import sys\ndef light(inputs, params, output):\n"
        "    import regrow.params.base as base\n"
        "    return [hasattr(base, 'PLANTED'), 'torch' in sys.modules]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(place), str(ROOT / "params/demo.yaml")],
        env=os.environ | {"PYTHONPATH": str(place / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[False, False]", "[True, False]"], done.stderr


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
    with pytest.raises(StepFailed, match="No module named 'nobody_has_this'"):
        call(place, "lacks")
    with pytest.raises(ModuleNotFoundError, match="nobody"):
        call(place, "clean", module="nobody")
    with pytest.raises(StepFailed, match=r"exit status -9"):
        call(place, "killed")
    assert call(place, "clean", instance="after").counts["seen"] == ["after"]


def test_an_interrupted_job_lets_its_fork_save(server: Path, place: Path) -> None:
    job = client(place, "waits")
    pid = began(place)
    job.send_signal(signal.SIGTERM)
    assert job.wait() == 130
    assert (place / "saved").exists() and gone(pid)


def test_its_workers_are_interrupted_too(server: Path, place: Path) -> None:
    job = client(place, "worker")
    pid = began(place)
    job.send_signal(signal.SIGTERM)
    assert job.wait() == 130
    assert gone(pid) and gone(int((place / "child").read_text()))


def test_a_second_interrupt_stops_at_once(server: Path, place: Path) -> None:
    job = client(place, "stubborn")
    pid = began(place)
    job.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert job.poll() is None
    job.send_signal(signal.SIGTERM)
    assert job.wait() == 130 and gone(pid)


def test_who_leaves_by_himself_is_not_called_failed(server: Path, place: Path) -> None:
    job = client(place, "saves")
    began(place)
    job.send_signal(signal.SIGTERM)
    assert job.communicate() == ("saved, goes on from here\n", "") and job.returncode == 130


def test_a_killed_jobs_fork_is_killed(server: Path, place: Path) -> None:
    job = client(place, "waits")
    pid = began(place)
    job.kill()
    job.wait()
    until(lambda: gone(pid))
    assert not (place / "saved").exists()


RUN = """
import os, subprocess, sys, time
os.environ["REGROW_WARM"] = "1"
from regrow.engine import warm
server = warm.Server()
subprocess.Popen([sys.executable, "-c", sys.argv[1], *sys.argv[2:]])
print(server._process.pid, server._folder, flush=True)
time.sleep(60)
"""


def run(place: Path) -> tuple[subprocess.Popen[str], int, Path]:
    """A run with a server of its own and a job; the server's process and folder."""
    arguments = [CLIENT, str(place), "waits", str(ROOT / "params/demo.yaml")]
    found = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert found.stdout is not None
    pid, folder = found.stdout.readline().split()
    return found, int(pid), Path(folder)


@pytest.mark.parametrize("whom", ["run", "server"])
def test_who_is_killed_takes_the_forks_along(place: Path, server: Path, whom: str) -> None:
    process, pid, folder = run(place)
    fork = began(place)
    os.kill(process.pid if whom == "run" else pid, signal.SIGKILL)
    until(lambda: gone(fork))
    if whom == "run":
        process.wait()
        until(lambda: gone(pid) and not folder.exists())
    process.kill()
    process.wait()


def test_a_run_that_is_killed_while_the_server_loads_leaves_no_fork(place: Path, server: Path) -> None:  # fmt: skip
    process, pid, folder = run(place)
    until(lambda: list(folder.glob("job-*/order.json")))
    process.kill()
    process.wait()
    until(lambda: gone(pid) and not folder.exists())
    time.sleep(0.5)
    assert not (place / "began").exists() or gone(began(place))


def test_without_a_server_there_is_no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    for address in ("", "0", "1", str(tmp_path / "gone")):
        monkeypatch.setenv(warm.VARIABLE, address)
        assert warm.connected() is None


def test_the_server_of_other_code_is_not_used(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A run within a run, of another clone or with another table of steps."""
    with warm.connected() as found:  # type: ignore[union-attr]
        assert found
    monkeypatch.setenv("REGROW_TABLE", "toy.table")
    assert warm.connected() is None
    monkeypatch.delenv("REGROW_TABLE")
    monkeypatch.setattr(warm, "__file__", "/another/clone/src/regrow/engine/warm.py")
    assert warm.connected() is None


@LANDLOCKED
def test_a_closed_fork_is_a_closed_step(place: Path, server: Path, monkeypatch: pytest.MonkeyPatch):
    """Shut in as an interpreter of its own is (test_hermetic), and what the server has loaded counts as loaded."""
    (place / "secret").write_text("secret")
    monkeypatch.setenv("OF_THE_SHELL", "1")
    counts, modules = closed(place, "listed")
    variables, elsewhere = counts
    assert (place / "output/made").read_text() == "rows"
    assert not {"OF_THE_SHELL", "TZ"} & set(variables) and elsewhere
    assert "regrow.learn.evaluate.offline" in modules
    with pytest.raises(StepFailed, match=r"file .*/secret"):
        closed(place, "peeps")
    with pytest.raises(StepFailed, match=r"package tabulate \(module tabulate\)"):
        closed(place, "package", without="tabulate")
    with pytest.raises(StepFailed, match=r"package torch \(module torch\)"):
        closed(place, "listed", without="torch")
    with pytest.raises(StepFailed, match="of its own"):
        closed(place, "fails")


def closed(place: Path, name: str, without: str = "") -> tuple[Any, frozenset[str]]:
    """Call it in a closed fork; its key names every package that is installed but one."""
    every = {d.metadata["Name"].lower().replace("_", "-") for d in distributions()}
    inputs, params = {"data": place / "data"}, ROOT / "tests/params/tiny.yaml"
    (place / "output").mkdir(exist_ok=True)
    one = Call(f"planted:{name}", MODEL, inputs, params, ("crawl",), place / "output", {})
    return hermetic.call("planted", one, every - {without}, warm.connected())


_PRELOADS = """
import sys
from dataclasses import replace
from regrow.engine import jobs, warm_modules
flow = replace(jobs.flow(), warm=(), shared=(), warm_for={"evaluate:run": ("colorsys:hls_to_rgb",)})
jobs.flow = lambda: flow
libraries, loaded = warm_modules.Libraries(), []
assert "colorsys" not in sys.modules
for function, more in (("train:run", {}), ("evaluate:run", {"closed": {}}), ("evaluate:run", {})):
    libraries.load({"idle": [], "function": function, **more})
    loaded.append("colorsys" in sys.modules)
assert loaded == [False, False, True], loaded
"""


def test_what_one_function_loads_is_loaded_for_it_alone_and_for_no_closed_fork(tmp_path: Path) -> None:  # fmt: skip
    done = run_python(_PRELOADS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
