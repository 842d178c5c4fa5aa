"""What somebody who knows DVC types, on the real workflow with a tiny model (docs/guides/dvc.md)."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from real_repository import Real
from regrow.engine.present import Present
from small_repository import served

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(2_400),
]
SWITCH = 60.0
"""seconds that a switch of branches may take on a busy machine (docs/guides/dvc.md has what it takes)"""


def releases(repository: Real) -> list[str]:
    """The jobs that release a checkpoint."""
    return sorted(p.stem for p in repository.path.glob("records/release.*.json"))


def test_dag_is_the_flow(grown: Real):
    jobs = Present(grown.path, "params/tiny.yaml").jobs
    flow = {
        (jobs[item.job].step.name, job.step.name)
        for job in jobs.values()
        for item in job.inputs
        if item.kind == "data" and job.step.group == "main"
    }
    dag = grown.dvc("dag", "--dot")
    shown = set(re.findall(r'"(\w+)" -> "(\w+)"', dag))
    # Between checkpoints of one step there is no edge: they are one stage and one output.
    assert shown == {(a, b) for a, b in flow if a != b}
    commands = re.findall(r"cmd: (.*)", grown.read("dvc.yaml"))
    assert all(command.startswith("snakemake ") for command in commands)


def test_status_repro_diff_and_branches(grown: Real, tmp_path: Path):
    """One copy, one edit: DVC's verbs see it, do it through the workflow, and switch back and forth."""
    copy = grown.copy(tmp_path / "copy")
    copy.git("switch", "-q", "-c", "other")
    copy.edit("params/tiny.yaml", "name: regrow-tiny", "name: regrow-other")
    status = json.loads(copy.dvc("status", "--json"))
    assert list(status) == ["release"]
    # Without `snakemake` in between: DVC sees the file, code.json tells of code only once it is reconciled.
    assert status["release"] == [{"changed deps": {"params/tiny.yaml": {"release": "modified"}}}]

    copy.dvc("repro", "-q", "release")
    assert copy.outcomes() == {"run": releases(copy)}
    assert "up to date" in copy.dvc("status")
    lock = yaml.safe_load(copy.read("dvc.lock"))
    assert copy.build() == {}
    assert yaml.safe_load(copy.read("dvc.lock")) == lock  # DVC breaks long lines
    assert "didn't change, skipping" in copy.dvc("repro", "release")

    copy.commit("another name")
    diff = json.loads(copy.dvc("diff", "--json", "HEAD~1"))
    assert not diff["added"] and not diff["deleted"] and not diff["renamed"]
    changed = {entry["path"] for entry in diff["modified"]}
    assert {path.split("/")[1] for path in changed} == {"release"}
    assert "data/release/rlvr-000002/README.md" in changed
    assert "data/release/rlvr-000002/model.safetensors" not in changed

    began = time.monotonic()
    copy.git("switch", "-q", "main")
    copy.dvc("checkout", "-q")
    checkout = time.monotonic() - began
    assert copy.pending() == []
    assert copy.dirty() == ""
    assert "up to date" in copy.dvc("status")
    began = time.monotonic()
    copy.git("switch", "-q", "other")
    assert copy.build() == {"hit": releases(copy)}
    snakemake = time.monotonic() - began
    assert copy.dirty() == ""
    assert "up to date" in copy.dvc("status")
    print(f"git switch && dvc checkout: {checkout:.1f} s; && snakemake: {snakemake:.1f} s")
    assert checkout < SWITCH
    assert snakemake < SWITCH

    # A stage alone, forced: the workflow finds its key known.
    copy.dvc("repro", "-q", "-f", "-s", "mix")
    assert copy.outcomes() == {"hit": ["mix"]}
    assert "up to date" in copy.dvc("status")
    assert copy.pending() == []
    assert copy.dirty() == ""


def test_pull_of_one_checkpoint(grown: Real, tmp_path: Path):
    clone = grown.clone(tmp_path / "clone")
    with served(grown.path.parent / "remote") as address:
        clone.dvc("remote", "add", "--local", "-d", "store", address)
        clone.dvc("pull", "-q", "data/pretrain/000008")
        weights = clone.path / "data/pretrain/000008/model.safetensors"
        before = weights.stat()
        assert sorted(p.name for p in (clone.path / "data").iterdir()) == ["pretrain"]
        assert [p.name for p in (clone.path / "data/pretrain").iterdir()] == ["000008"]
        # What is asked for by name is fetched; nothing runs, and the checkpoint is not touched.
        assert clone.build("data/evaluate/pretrain-000008/results.json") == {
            "fetched": ["evaluate.pretrain-000008"]
        }
        # Another scoring of it: its inputs are fetched, no other step runs.
        clone.edit("params/tiny.yaml", "name: regrow-tiny", "name: regrow-other")
        assert clone.build("data/release/pretrain-000008/README.md") == {
            "run": ["release.pretrain-000008"]
        }
        assert (weights.stat().st_ino, weights.stat().st_mtime) == (before.st_ino, before.st_mtime)
    assert not (clone.path / "data/text").exists()
    assert not (clone.path / "data/rlvr").exists()
