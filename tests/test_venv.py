"""`make env` finds Python 3.11, or lets uv provide it, or names both ways."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "workflow" / "venv.sh"


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def make(venv: Path, python: Path | str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), str(venv), str(python)],
        env={"PATH": f"{path}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


def as_python_311(log: Path) -> str:
    """A stand-in that answers the version check like Python 3.11 and notes other calls."""
    return f'[ "$1" = -c ] || echo "$@" >>{log}'


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return program(tmp_path, "python3", '[ "$1" = -c ] && exit 1; echo Python 3.12.1')


def test_python_311_makes_the_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = make(tmp_path / "venv", program(tmp_path, "python3", as_python_311(log)), tmp_path)
    assert done.returncode == 0
    assert log.read_text() == f"-m venv --clear {tmp_path}/venv\n"


@pytest.mark.parametrize("found", [True, False])
def test_uv_is_asked_where_python_311_is_missing(tmp_path: Path, old: Path, found: bool) -> None:
    log = tmp_path / "log"
    program(tmp_path, "uv", f'echo "$@" >{log}')
    done = make(tmp_path / "venv", old if found else "", tmp_path)
    assert done.returncode == 0
    asked = log.read_text().split()
    assert asked[0] == "venv" and asked[-1] == f"{tmp_path}/venv"
    assert asked[asked.index("--python") + 1] == "3.11" and "--seed" in asked


def test_the_error_names_both_ways_and_what_was_found(tmp_path: Path, old: Path) -> None:
    done = make(tmp_path / "venv", old, tmp_path)
    assert done.returncode == 1
    assert f"{old} is Python 3.12.1" in done.stderr
    assert "make PYTHON=" in done.stderr and "uv venv --python 3.11" in done.stderr
    assert "none was found" in make(tmp_path / "venv", "", tmp_path).stderr


def test_an_environment_that_works_is_kept_and_a_broken_one_replaced(
    tmp_path: Path, old: Path
) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    there = tmp_path / "venv" / "bin" / "python"
    there.symlink_to(sys.executable)
    assert make(tmp_path / "venv", old, tmp_path).returncode == 0
    there.unlink()
    there.symlink_to("/nowhere/python3.11")
    assert make(tmp_path / "venv", old, tmp_path).returncode == 1
