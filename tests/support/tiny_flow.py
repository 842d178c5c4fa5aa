"""The tiny flow of tests/params/tiny.yaml, grown once for all workers of a run of the tests."""

from __future__ import annotations

import compileall
import json
from pathlib import Path

import pytest

from real_repository import PARAMS, Real, fresh
from regrow.engine import files
from regrow.engine.present import Present


def tiny_flow(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Real:
    """The flow, committed, and pushed to a folder `remote` beside it. Not to be changed.

    Every step sees only what its key counts while it grows (docs/reference/keys.md); of jobs that differ in nothing
    but the bytes of their inputs, one does.
    """
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "real"
    with files.locked(place / "lock", "another worker grows the tree: waiting"):
        if (place / "grown").exists():
            repository = Real(place / "repository", place / "repository/src")
            repository.outcomes()
            return repository
        repository = fresh(place / "repository")
        # A step that sees only what its key counts writes no bytecode beside our modules.
        compileall.compile_dir(repository.path / "src", quiet=1)
        # The first that runs a model, and all before it, in interpreters of their own; the others in closed forks.
        cold = next(r for r in _different(repository) if Path(r).name.startswith("pretrain."))
        repository.build(cold, REGROW_HERMETIC="1", REGROW_WARM="0")
        with repository.served() as server:
            repository.build(*_different(repository), REGROW_HERMETIC="1", REGROW_WARM=server)
            repository.build(REGROW_WARM=server)
        repository.commit("published")
        repository.dvc("remote", "add", "--local", "-d", "store", str(place / "remote"))
        repository.dvc("push", "-q")
        (repository.path / ".dvc/config.local").unlink()
        (place / "grown").touch()
    return repository


def _different(repository: Real) -> list[str]:
    """The record of one job for each step, set of inputs and options."""
    found: dict[str, str] = {}
    for job in Present(repository.path, PARAMS).jobs.values():
        if job.step.group == "main":
            options = job.step.options_of(job.instance)
            asked = [job.step.name, sorted(item.name for item in job.inputs), options]
            found.setdefault(json.dumps(asked, sort_keys=True), job.record)
    return list(found.values())
