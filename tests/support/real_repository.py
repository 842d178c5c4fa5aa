"""The real workflow in copies of the repository, under tests/params/tiny.yaml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_repository import ROOT, Repository

PARAMS = "params/tiny.yaml"
_SERVE = """
import os, sys
from regrow.engine import warm
server = warm.Server()
print(os.environ[warm.VARIABLE], flush=True)
sys.stdin.read()
server.close()
"""


class Real(Repository):
    """A copy of this repository that grows the tiny model.

    Jobs are forked from a warm server (`regrow.engine.warm`): loading torch is nine tenths of their work. In the
    tree that all others are compared with, one job of each kind is not (`tiny_flow`).
    """

    def __init__(self, path: Path, source: Path) -> None:
        super().__init__(path, source)
        self.env["REGROW_WARM"] = "1"

    def snakemake(
        self, *args: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run snakemake under the tiny params."""
        # `--configfile` takes every word behind it that is no option: targets stand before it.
        return super().snakemake(*args, "--configfile", PARAMS, check=check, **env)

    def regrow(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run regrow."""
        return self.run("regrow", *args, check=check)

    @contextmanager
    def served(self) -> Iterator[str]:
        """A warm server for several runs here, which one loads torch for: the value of REGROW_WARM for them."""
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE], cwd=self.path, env=self.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate()

    def clone(self, path: Path) -> Real:
        """`git clone`, with the built kernels, which `make env` would build anew."""
        subprocess.run(["git", "clone", "-q", str(self.path), str(path)], check=True)
        kernels(path)
        return Real(path, path / "src")

    def copy(self, path: Path) -> Real:
        """The folder as it is."""
        shutil.copytree(self.path, path, symlinks=True)
        other = Real(path, path / "src")
        other.outcomes()
        return other


def kernels(path: Path) -> None:
    """Put the built kernels into a copy of this repository, as `make env` does."""
    for place in ("numerics/_native", "data/dedup/native/_native"):
        built = ROOT / "src/regrow" / place
        if built.is_dir():
            shutil.copytree(built, path / "src/regrow" / place, dirs_exist_ok=True)


def fresh(path: Path) -> Real:
    """A repository with the working tree's files and no records."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    written = ("records/", "dvc.lock", "dvc.yaml", "code.json", "data/")
    for name in filter(None, listing.split("\0")):
        source = ROOT / name
        if not name.startswith(written) and source.exists():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink():
                target.symlink_to(source.readlink())
            else:
                shutil.copy(source, target)
    shutil.copy(ROOT / "tests/params/tiny.yaml", path / PARAMS)
    kernels(path)
    repository = Real(path, path / "src")
    repository.git("init", "-q", "-b", "main")
    repository.commit("start")
    return repository
