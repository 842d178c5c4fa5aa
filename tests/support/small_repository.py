"""A small repository that runs the real runner under the real Snakemake and DVC, for tests."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import command_server

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "tests/engine/toy"
BIN = Path(sys.executable).parent
GIT = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository with a flow in it."""

    def __init__(self, path: Path, source: Path = ROOT / "src") -> None:
        self.path = path
        home = path.parent / f"{path.name}.home"
        home.mkdir(exist_ok=True)
        keep = {
            k: v for k, v in os.environ.items() if not k.startswith(("REGROW", "SNAKEMAKE", "XDG"))
        }
        self.env = keep | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(source),
            "HOME": str(home),  # nobody's own settings, and DVC's site cache kept apart
            "XDG_CACHE_HOME": str(home / "cache"),
            "DVC_SITE_CACHE_DIR": str(home / "site"),
            "DVC_NO_ANALYTICS": "1",
            "NO_COLOR": "1",
        }
        self._seen = 0

    def toy_table(self) -> dict[str, str]:
        """Variables under which `regrow` knows the toy without its Snakefile."""
        path = f"{self.path}/src{os.pathsep}{self.env['PYTHONPATH']}"
        return {"REGROW_TABLE": "toy.table", "PYTHONPATH": path}

    @classmethod
    def toy(cls, path: Path) -> Repository:
        """A fresh toy, committed, not built."""
        shutil.copytree(TOY, path)
        for name in (
            ".dvc/config",
            ".dvc/.gitignore",
            ".dvcignore",
            ".gitignore",
            "constraints.txt",
        ):
            (path / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, path / name)
        repository = cls(path)
        repository.git("init", "-q", "-b", "main")
        repository.commit("start")
        return repository

    def run(self, *args: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository."""
        whole = self.env | env
        if command_server.serves(args[0], whole):
            done = command_server.run(args, self.path, whole)
        else:
            done = subprocess.run(
                args, cwd=self.path, env=whole, capture_output=True, text=True, check=False
            )
        if check and done.returncode:
            raise AssertionError(
                f"{args} -> {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
            )
        return done

    def git(self, *args: str) -> str:
        """Run git."""
        return self.run("git", *GIT, *args).stdout.strip()

    def commit(self, message: str = "change") -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def dvc(self, *args: str, check: bool = True) -> str:
        """Run dvc; returns its standard output."""
        return self.run("dvc", *args, check=check).stdout

    def snakemake(
        self, *args: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run snakemake on two cores."""
        return self.run("snakemake", "--cores", "2", *args, check=check, **env)

    def pending(self) -> list[str]:
        """Rules that `snakemake -n` would start, sorted; empty: nothing to be done."""
        done = self.snakemake("-n")
        text = done.stdout + done.stderr
        if "Nothing to be done" in text:
            return []
        rows = text.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]
        return sorted(row.split()[0] for row in rows if row.split()[0] not in ("all", "total"))

    def build(self, *args: str, **env: str) -> dict[str, list[str]]:
        """Run snakemake; returns outcome -> sorted jobs, since the last look at the log."""
        self.outcomes()
        self.snakemake(*args, **env)
        return self.outcomes()

    def outcomes(self) -> dict[str, list[str]]:
        """New lines of the run log: outcome -> sorted jobs."""
        path = self.path / ".regrow/runs.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        found: dict[str, list[str]] = {}
        for line in lines[self._seen :]:
            row = json.loads(line)
            name = row["step"] if row["instance"] is None else f"{row['step']}.{row['instance']}"
            found.setdefault(row["outcome"], []).append(name)
        self._seen = len(lines)
        return {outcome: sorted(names) for outcome, names in found.items()}

    def steps(self, names: list[str]) -> dict[str, int]:
        """Jobs counted by step."""
        return dict(Counter(name.split(".")[0] for name in names))

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file; fails if it is not there."""
        file = self.path / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.path / path).read_text()

    def dirty(self) -> str:
        """`git status --short`."""
        return self.git("status", "--short")

    def clone(self, path: Path) -> Repository:
        """`git clone` into another folder."""
        subprocess.run(["git", "clone", "-q", str(self.path), str(path)], check=True)
        return type(self)(path)

    def copy(self, path: Path) -> Repository:
        """The folder as it is, with data, caches and times."""
        shutil.copytree(self.path, path, symlinks=True)
        other = type(self)(path)
        other.outcomes()
        return other


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on loopback, as a read-only DVC remote."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
