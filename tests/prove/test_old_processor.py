"""A processor without AVX2 and FMA, emulated: what cannot be had is said, not died of.

On such a machine numpy, polars and torch end in an illegal instruction when they are imported, so
every question that may be asked there has to be answered before they are.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sound_records import write_sound
from toy_repository import git, write_repository

QEMU = shutil.which("qemu-x86_64")
CPU = "Nehalem"
"""of 2008: SSE4.2, no AVX"""

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        QEMU is None, reason="qemu-x86_64 is not installed (Debian: apt-get install qemu-user)"
    ),
]


def old(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`regrow …` on the old processor."""
    assert QEMU
    python = str(Path(sys.executable).resolve())
    return subprocess.run(
        [QEMU, "-cpu", CPU, python, "-m", "regrow.cli.main", *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_repository(tmp_path_factory.mktemp("old") / "r")
    for name, kind, packages in (
        ("a", "exact", {}),
        ("b", "exact", {"polars": "2.1.0"}),
        ("c", "fma32", {"torch": "2.13.0"}),
    ):
        file = root / f"records/{name}.json"
        raw = json.loads(file.read_text())
        raw["parts"] |= {"numerics": kind, "packages": packages}
        write_sound(file, raw)
    git(root, "commit", "-qam", "classes")
    return root


def test_the_emulated_processor_is_one_that_could_not_do_it(toy: Path) -> None:
    """Or the tests below would say nothing."""
    assert QEMU
    done = subprocess.run(
        [QEMU, "-cpu", CPU, str(Path(sys.executable).resolve()), "-c", "import polars"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode < 0 or "Illegal instruction" in done.stderr


@pytest.mark.parametrize("origin", ["sources", "parents"])
def test_a_rebuild_says_what_is_missing_before_it_starts(
    toy: Path, tmp_path: Path, origin: str
) -> None:
    folder = tmp_path / "work"
    for name, words in (
        ("c", ("`fma32`, which c needs", "no AVX2 and FMA", "Intel from 2013")),
        ("b", ("`exact`, which ", "the installed polars, which b uses", "polars[rtcompat]")),
    ):
        done = old(toy, "rebuild", name, "--from", origin, "--folder", str(folder))
        assert done.returncode == 1 and done.stdout == "", done.stderr
        assert "nothing was started" in done.stderr
        assert all(word in done.stderr for word in words), done.stderr
        assert not folder.exists()


def test_a_job_that_needs_no_such_processor_begins(toy: Path, tmp_path: Path) -> None:
    done = old(toy, "rebuild", "a", "--from", "parents", "--folder", str(tmp_path / "work"))
    assert "numerics exact: this machine gives it" in done.stdout, done.stderr


def test_a_verification_says_so_too(toy: Path) -> None:
    done = old(toy, "verify", "c", "--segments", "1")
    assert done.returncode == 1 and "nothing was started" in done.stderr
    assert "`fma32`, which c needs" in done.stderr


def test_the_doctor_answers(toy: Path) -> None:
    done = old(toy, "doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    bad = [item for item in found["findings"] if item["status"] == "fail"]
    assert any("no AVX2 and FMA" in item["says"] for item in bad)
