"""The real workflow in copies of the repository, under tests/params/tiny.yaml."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from small_repository import ROOT, Repository

PARAMS = "params/tiny.yaml"


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

    def clone(self, path: Path) -> Real:
        """`git clone`, with the built kernels, which `make env` would build anew."""
        subprocess.run(["git", "clone", "-q", str(self.path), str(path)], check=True)
        _kernels(path)
        return Real(path, path / "src")

    def copy(self, path: Path) -> Real:
        """The folder as it is."""
        shutil.copytree(self.path, path, symlinks=True)
        other = Real(path, path / "src")
        other.outcomes()
        return other


def _kernels(path: Path) -> None:
    built = ROOT / "src/regrow/numerics/_native"
    if built.is_dir():
        shutil.copytree(built, path / "src/regrow/numerics/_native", dirs_exist_ok=True)


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
    _kernels(path)
    repository = Real(path, path / "src")
    repository.git("init", "-q", "-b", "main")
    repository.commit("start")
    return repository
