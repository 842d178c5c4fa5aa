"""A model of the flow for tests of lineage: jobs whose bytes are a function of what they are told to feel.

A world is a git repository with records, sources and code. `build` composes the record of every job
from what lies there; a job's output is a hash of those components that it `feels`, so a test can plant
a change that moves bytes and one that does not.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from default_flow import BY_NAME
from regrow.engine.hashing import digest_bytes
from regrow.engine.present import source_digest
from regrow.engine.records import encode
from regrow.engine.state import FileTree
from regrow.engine.store import Store
from regrow.engine.syntax import parse
from sound_records import composed, output_of

GIT = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


@dataclass
class Job:
    """One job of the model."""

    step: str
    inputs: dict[str, str] = field(default_factory=dict)
    """name -> job, `source:<path>` or `record:<job>`"""
    params: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    packages: dict[str, str] = field(default_factory=lambda: {"python": "3.11"})
    instance: str | None = None
    function: str = ""
    numb: tuple[str, ...] = ()
    """components without effect on the bytes: names of params, modules, packages or inputs"""
    table: list[dict[str, Any]] | None = None
    """rows of its documents.parquet"""

    @property
    def name(self) -> str:
        return self.step if self.instance is None else f"{self.step}.{self.instance}"


def _function(step: str) -> str:
    """Of a step of the flow its own; else one that nobody knows."""
    return BY_NAME[step].function if step in BY_NAME else f"toy.{step}:run"


class World:
    """A repository of the model."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        (root / "Snakefile").write_text("")
        (root / ".dvc").mkdir()
        (root / ".gitignore").write_text("/data\n.dvc/cache\n.regrow\n")
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *GIT, *args], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, branch: str | None = None) -> str:
        if branch:
            self.git("checkout", "-q", "-B", branch)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def build(self, jobs: list[Job], salt: str = "") -> dict[str, dict[str, Any]]:
        """Compose and write the records of all jobs; `salt` makes every output differ (broken bits)."""
        for old in (self.root / "records").glob("*.json"):
            old.unlink()
        made: dict[str, dict[str, Any]] = {}
        for job in jobs:
            record = self._record(job, made, salt)
            made[job.name] = record
            self.write(f"records/{job.name}.json", encode(record).decode())
        return made

    def _record(self, job: Job, made: dict[str, dict[str, Any]], salt: str) -> dict[str, Any]:
        inputs, hashes = {}, {}
        for name, what in job.inputs.items():
            kind, _, path = what.rpartition(":")
            if kind == "source":
                inputs[name] = {"kind": "source", "path": path}
                hashes[name] = source_digest(FileTree(self.root, path), path)
                continue
            up = made[path]
            record = f"records/{path}.json"
            place = record if kind == "record" else up["output"]["path"]
            inputs[name] = {"kind": kind or "data", "path": place, "record": record}
            hashes[name] = (
                digest_bytes(encode(up)).sha256 if kind == "record" else up["output"]["sha256"]
            )
        parts: dict[str, Any] = {
            "code": self._code(job),
            "params": {job.step: job.params} if job.params else {},
            "packages": job.packages,
            "numerics": "exact",
            "instance": job.instance,
            "inputs": hashes,
        }
        if job.options:
            parts["options"] = job.options
        return composed(job.name, parts, inputs, self._output(job, parts, salt))

    def _code(self, job: Job) -> dict[str, Any]:
        modules = {}
        for name in job.modules:
            source = (self.root / f"src/{name.replace('.', '/')}.py").read_bytes()
            found = parse(source, name, False)
            modules[name] = {"digest": found["digest"], "definitions": found["definitions"]}
        text = "\n".join(f"{n} {m['digest']}" for n, m in sorted(modules.items()))
        return {
            "function": job.function or _function(job.step),
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "modules": modules,
            "native": {},
        }

    def _output(self, job: Job, parts: dict[str, Any], salt: str) -> dict[str, Any]:
        felt = {
            "code": {n: m for n, m in parts["code"]["modules"].items() if n not in job.numb},
            "params": {n: v for n, v in job.params.items() if n not in job.numb},
            "packages": {n: v for n, v in job.packages.items() if n not in job.numb},
            "inputs": {n: v for n, v in parts["inputs"].items() if n not in job.numb},
            "rest": [job.instance, job.options, job.function, job.step, salt],
        }
        path = f"data/{job.step}" + (f"/{job.instance}" if job.instance else "")
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "out.bin").write_text(json.dumps(felt, sort_keys=True))
        if job.table is not None:
            pl.DataFrame(job.table).write_parquet(folder / "documents.parquet")
        store = Store(self.root)
        for file in sorted(p for p in folder.iterdir() if p.is_file()):
            store.insert_file(file)
        return output_of(self.root, path)
