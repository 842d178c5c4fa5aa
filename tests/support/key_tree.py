"""A copy of this repository in which every job of every step has a record, so that keys can be computed.

Code, params, sources and table are the real ones; no step runs: what a job "made" is one file, whose
bytes are its name. Keys are those of the runner itself (`regrow.engine.runner.Runner`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

import default_flow
from regrow.engine import files, origins, syntax
from regrow.engine.hashing import digest_bytes
from regrow.engine.jobs import Flow, Job
from regrow.engine.present import Present
from regrow.engine.records import compose, encode, output_part
from regrow.engine.runner import Runner
from small_repository import ROOT

PLAIN = "params/demo.yaml"
OTHERS: dict[str, dict[str, Any]] = {
    "params/forked.yaml": {
        "fork": {
            "name": "mine", "stage": "pretrain", "checkpoint": 96, "documents": True, "chats": True,
        }
    },
    "params/masked.yaml": {
        "takedown": {
            "name": "gone",
            "depth": "training",
            "first": {"pretrain": 100, "midtrain": 5, "longcontext": 3},
        }
    },
    "params/withdrawn.yaml": {"takedown": {"name": "gone", "depth": "everything"}},
}  # fmt: skip
"""params files for the steps that plain params do not call for -> what stands in them besides"""
EVERY = (PLAIN, *OTHERS)
COPIED = ("src", "params", "sources", "evals", "constraints.txt", "Snakefile", "workflow", "docs")


_parse = functools.cache(syntax.parse)
_read_json = files.read_json
_PARSED: dict[Path, Any] = {}
"""memories of parsed modules that were read"""


def _memory(path: Path) -> Any:
    """What a file of JSON holds; a memory of parsed modules, which names sizes and times of files, is read once."""
    if path.name != "syntax.json":
        return _read_json(path)
    if path not in _PARSED and (found := _read_json(path)) is not None:
        _PARSED[path] = found
    return _PARSED.get(path)


@contextlib.contextmanager
def parsed_once() -> Iterator[None]:
    """While this holds, equal sources are parsed once: edits that come and go cost nothing."""
    with (
        mock.patch("regrow.engine.closure.parse", _parse),
        mock.patch("regrow.engine.files.read_json", _memory),
    ):
        yield


class KeyTree:
    """The copy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flow = default_flow.flow()

    @classmethod
    def make(cls, path: Path) -> KeyTree:
        """Copy the repository and write the records."""
        ignored = shutil.ignore_patterns("__pycache__", "_native", "*.egg-info", "images")
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, path / name, ignore=ignored)
            else:
                path.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, path / name)
        for name in (
            "forks/mine/documents.parquet",
            "forks/mine/chats.parquet",
            "takedowns/gone/documents.json",
        ):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text("read by no step here\n")
        raw = yaml.safe_load((path / PLAIN).read_text())
        for name, more in OTHERS.items():
            (path / name).write_text(yaml.safe_dump(raw | more))
        tree = cls(path)
        for params in EVERY:
            present = tree.present(params)
            for job in present.jobs.values():
                if not (path / job.record).exists():
                    tree.fill(job)
                    runner = Runner(present, job)
                    tree.record(job, runner.parts)
            present.save()
        return tree

    def present(self, params: str = PLAIN, flow: Flow | None = None) -> Present:
        """Code, params and packages of the copy as they are now."""
        return Present(self.path, params, flow or self.flow, self.path / "src")

    def file(self, job: Job) -> Path:
        """The one file that a job made."""
        return self.path / job.data / (job.step.leaf or ("made.bin",))[0]

    def fill(self, job: Job, content: bytes = b"") -> None:
        """Let a job have made other bytes."""
        self.file(job).parent.mkdir(parents=True, exist_ok=True)
        self.file(job).write_bytes(content or job.name.encode())

    def record(self, job: Job, parts: Mapping[str, Any]) -> None:
        """Write the record of what a job made."""
        digest = digest_bytes(self.file(job).read_bytes())
        made = output_part(job.data, {self.file(job).name: digest})
        path = self.path / job.record
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode(compose(job, parts, made, None)))

    @functools.cached_property
    def jobs(self) -> dict[str, dict[str, Job]]:
        """Params file -> its jobs by name, as long as nothing is changed."""
        return {params: self.present(params).jobs for params in EVERY}

    @functools.cached_property
    def places(self) -> dict[str, tuple[str, Job]]:
        """Step -> the params file under which it has jobs, and its last job there."""
        found: dict[str, tuple[str, Job]] = {}
        for params in EVERY:
            for job in self.jobs[params].values():
                if found.get(job.step.name, (params,))[0] == params:
                    found[job.step.name] = (params, job)
        return found

    def look(self, step: str, flow: Flow | None = None) -> tuple[str, dict[str, Any]]:
        """Key and parts of a step's last job, as the runner computes them now."""
        params, job = self.places[step]
        present = self.present(params, flow)
        runner = Runner(present, present.jobs[job.name])
        return runner.key, runner.parts

    def keys(self) -> dict[str, str]:
        """The key of every step's last job."""
        presents = {params: self.present(params) for params in EVERY}
        return {
            step: Runner(presents[params], presents[params].jobs[job.name]).key
            for step, (params, job) in self.places.items()
        }

    def with_step(self, step: str, **changes: Any) -> Flow:
        """The table with one step's row changed."""
        steps = [replace(s, **changes) if s.name == step else s for s in self.flow.steps]
        return replace(self.flow, steps=tuple(steps), recipe=None)

    @contextlib.contextmanager
    def edited(self, edits: Mapping[str, bytes]) -> Iterator[None]:
        """Files of the copy with other contents, for a while."""
        before = {name: (self.path / name).read_bytes() for name in edits}
        try:
            for name, content in edits.items():
                (self.path / name).write_bytes(content)
            yield
        finally:
            for name, content in before.items():
                (self.path / name).write_bytes(content)

    @property
    def memory(self) -> str:
        """The file, below the copy, of what the survey of the installed packages found."""
        name = hashlib.sha256(repr(origins.search_path(self.path)).encode()).hexdigest()[:16]
        return f".regrow/environment/{name}.json"

    def environment(self) -> dict[str, Any]:
        """What that survey found."""
        found: dict[str, Any] = json.loads((self.path / self.memory).read_bytes())
        return found

    def overlay(self, name: str, files: Mapping[str, bytes]) -> str:
        """A folder beside the copy, filled once: an entry for `sys.path`."""
        folder = self.path.with_name(f"{self.path.name}.{name}")
        if not folder.exists():
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        return str(folder)
