"""One job: lookups, refusals, and what a user sees when something goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small_repository import Repository

RUN = (sys.executable, "-m", "regrow.cli.main", "run")


@pytest.fixture
def toy(repository: Repository) -> Repository:
    """The built toy, with its table, for calls of `regrow run` without Snakemake."""
    repository.env |= repository.toy_table()
    return repository


def regrow(toy: Repository, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return toy.run(*RUN, *args, check=False, **env)


def test_a_hit_imports_nothing_heavy_and_gives_the_same_record(toy: Repository):
    before = toy.read("records/train.001.json")
    (toy.path / "records/train.001.json").unlink()
    code = (
        "import sys; from regrow.cli.main import main; "
        "status = main(['run', 'train', '--instance', '001']); "
        "heavy = {'torch', 'dvc', 'polars', 'pydantic', 'yaml', 'numpy', 'transformers'} & set(sys.modules); "
        "print(heavy, file=sys.stderr); sys.exit(status or bool(heavy))"
    )
    done = toy.run(sys.executable, "-c", code)
    assert "known, not run" in done.stderr
    assert toy.read("records/train.001.json") == before


def test_cache_off_runs_and_gives_the_same_bytes(toy: Repository):
    for args, env in ((("--no-cache",), {}), ((), {"REGROW_CACHE_OFF": "1"})):
        done = regrow(toy, "train", "--instance", "001", *args, **env)
        assert "train.001: done" in done.stderr
    assert toy.dirty() == ""


def test_progress_goes_to_the_terminal_and_to_the_log(toy: Repository):
    done = regrow(toy, "train", "--instance", "001", "--no-cache", "--log", "logs/x.log")
    assert "train.001: step 3" in done.stderr
    assert "step 3" in toy.read("logs/x.log").splitlines()
    assert done.stdout == ""


def test_a_failing_step_leaves_what_was_there(toy: Repository):
    before = toy.read("data/mix/mix.txt")
    toy.edit(
        "src/toy/mix.py",
        '    (output / "mix.txt")',
        '    (output / "half.txt").write_text("x")\n    raise ValueError("odd line 7")\n    (output / "mix.txt")',
    )
    done = regrow(toy, "mix", "--log", "logs/mix.log")
    assert done.returncode == 1
    assert "ValueError: odd line 7. Nothing was recorded." in done.stderr
    assert "odd line 7" in toy.read("logs/mix.log")
    assert toy.read("data/mix/mix.txt") == before
    assert list((toy.path / ".regrow/work").iterdir()) == []
    assert toy.dirty() == "M src/toy/mix.py"
    assert toy.outcomes() == {"failed": ["mix"]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("pass", "wrote no file"),
        ('(output / "l").symlink_to("/etc/passwd")', "no plain file"),
        ('(output / "x").write_text("x"); (inputs["clean.0"] / "clean.txt").write_text("y")', "changed its inputs (data/clean/0/clean.txt)"),
        ('(output / "x").write_text("x"); import importlib; importlib.import_module("toy.nn")', "loaded toy.nn"),
        ('open("/dev/full", "w").write("x" * 10**6)', "the disk is full"),
        ('raise RuntimeError("ComputeError: No space left on device (os error 28)")', "the disk is full"),
        ("import nosuchmodule", "nosuchmodule"),
    ],
)  # fmt: skip
def test_what_a_step_must_not_do(toy: Repository, body: str, message: str):
    toy.edit("src/toy/mix.py", "    lines = []\n", f"    {body}\n    return\n    lines = []\n")
    done = regrow(toy, "mix")
    assert done.returncode == 1
    assert message in done.stderr
    assert toy.dirty().replace("M ", "").split() in (["src/toy/mix.py"],)


def test_a_step_that_is_not_deterministic_is_named(toy: Repository):
    toy.edit("src/toy/mix.py", '"\\n".join(sorted(lines))', 'str(__import__("time").time_ns())')
    assert "NOT DETERMINISTIC" not in regrow(toy, "mix").stderr
    done = regrow(toy, "mix", "--no-cache")
    assert "mix: NOT DETERMINISTIC" in done.stderr
    assert "mix.txt" in done.stderr


@pytest.mark.parametrize("name", ["X", "TZ", "LC_ALL", "ATEN_CPU_CAPABILITY", "POLARS_FMT_STR_LEN"])
def test_a_variable_of_the_shell_does_not_reach_a_step(toy: Repository, name: str):
    """Read by Python, by the C library, and by a program that the step starts."""
    toy.edit(
        "src/toy/mix.py", '"\\n".join(sorted(lines))',
        f'repr([__import__("os").environ.get("{name}"), __import__("time").tzname, '
        f'__import__("subprocess").getoutput("echo ${name}")])',
    )  # fmt: skip
    values = ["Asia/Tokyo", "Europe/Berlin"] if name == "TZ" else ["1", "2"]
    for value in values:
        done = regrow(toy, "mix", "--no-cache", **{name: value})
        assert done.returncode == 0 and "NOT DETERMINISTIC" not in done.stderr, done.stderr
    assert "None" in toy.read("data/mix/mix.txt")


def test_a_variable_that_says_where_things_are_does(toy: Repository):
    toy.edit(
        "src/toy/mix.py", '"\\n".join(sorted(lines))', 'str(__import__("os").environ.get("TMPDIR"))'
    )
    regrow(toy, "mix", TMPDIR="/tmp")
    assert toy.read("data/mix/mix.txt").strip() == "/tmp"


def test_interrupt_and_resume(toy: Repository):
    toy.edit("params/demo.yaml", "lr: 0.5", "lr: 0.55")
    before = toy.read("records/train.000.json")
    process = subprocess.Popen(
        [*RUN, "train", "--instance", "000", "--log", "logs/t.log"],
        cwd=toy.path, env=toy.env | {"REGROW_TOY_PAUSE": "0.5"}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    log = toy.path / "logs/t.log"
    while not (log.exists() and "step 2" in log.read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: nothing was recorded" in text
    assert toy.read("records/train.000.json") == before
    done = regrow(toy, "train", "--instance", "000")
    assert "step 0" not in done.stderr  # the scratch folder kept the first steps
    assert "step 3" in done.stderr
    assert list((toy.path / ".regrow/scratch").iterdir()) == []


def test_wrong_names_are_messages(toy: Repository):
    assert "Steps: split, clean" in regrow(toy, "nonsense").stderr
    assert "instances 000, 001, 002" in regrow(toy, "train", "--instance", "7").stderr
    done = regrow(toy, "mix", "--params", "params/none.yaml")
    assert done.returncode == 2
    assert "params/none.yaml" in done.stderr


def test_missing_upstream_record_is_a_message(toy: Repository):
    (toy.path / "records/split.json").unlink()
    done = regrow(toy, "clean", "--instance", "0")
    assert "records/split.json, which is missing" in done.stderr


def test_a_forged_record_is_not_believed(toy: Repository):
    record = json.loads(toy.read("records/mix.json"))
    record["output"]["files"][0]["sha256"] = "0" * 64
    (toy.path / "records/mix.json").write_text(json.dumps(record))
    assert "mix: " in toy.run(*RUN[:-1], "reconcile").stdout
    toy.snakemake()
    assert toy.dirty() == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_in_a_whole_run(built: Repository, tmp_path: Path):
    place = tmp_path / "small"
    place.mkdir()
    size = "2m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    try:
        clone = built.clone(place / "clone")
        done = clone.snakemake(check=False)
        assert done.returncode != 0
        assert "the disk is full" in done.stderr
        subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
        clone.snakemake()
        assert clone.dirty() == ""
        assert clone.pending() == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_reconcile_check_is_for_commit_hooks(toy: Repository):
    check = (*RUN[:-1], "reconcile", "--check")
    assert toy.run(*check).stdout == "12 records describe the present.\n"
    toy.edit("params/demo.yaml", "lr: 0.5", "lr: 0.6")
    done = toy.run(*check, check=False)
    assert done.returncode == 1
    assert "train.lr: 0.5 -> 0.6" in done.stdout
