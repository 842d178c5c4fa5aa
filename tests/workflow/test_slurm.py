"""The real flow on a real SLURM cluster of two nodes: same bytes as on one machine, also after kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import slurm_cluster
from real_repository import Real

PLUGINS = Path(sys.prefix) / "executors/slurm"
"""where `make env` puts Snakemake's SLURM executor, so that other calls of Snakemake do not load it"""
PROFILE = "workflow/profiles/slurm/config.yaml"
WHY = slurm_cluster.lacking()
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.xdist_group("workflow"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(WHY), reason=WHY),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm_cluster.Cluster]:
    """Two nodes."""
    with slurm_cluster.started(tmp_path_factory.mktemp("slurm")) as found:
        yield found


def on(cluster: slurm_cluster.Cluster, repository: Real) -> None:
    """Let a repository's commands find the cluster and the plugin; ask the queue often."""
    repository.env |= cluster.env
    repository.env["PYTHONPATH"] += f"{os.pathsep}{PLUGINS}"
    for name in ("slurm-init-seconds-before-status-checks", "seconds-between-status-checks"):
        repository.edit(PROFILE, f"{name}: 10", f"{name}: 2")
    repository.commit("a faster look at the queue")


def snakemake(repository: Real, *targets: str) -> subprocess.Popen[str]:
    """As a user starts it; on nothing else than the profile."""
    command = ["snakemake", *targets, "--configfile", "params/tiny.yaml", "--profile", "profiles/slurm"]  # fmt: skip
    return subprocess.Popen(
        command, cwd=repository.path, env=repository.env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 400) -> str:
    """What it said; it must end."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(process.communicate()[0][-4000:]) from None


def runs(repository: Real) -> list[dict[str, str]]:
    """The run log."""
    return [json.loads(line) for line in repository.read(".regrow/runs.jsonl").splitlines()]


def test_two_nodes_grow_the_same_hashes(
    grown: Real, cluster: slurm_cluster.Cluster, tmp_path: Path
):
    """No data, no cache: from the crawl to evaluated checkpoints, short jobs in groups."""
    clone = grown.clone(tmp_path / "clone")
    on(cluster, clone)
    targets = ["records/evaluate.pretrain-000004.json", "records/evaluate.pretrain-000008.json"]
    process = snakemake(clone, *targets)
    said = ended(process)
    assert process.returncode == 0, said[-4000:]
    made = runs(clone)
    assert {row["outcome"] for row in made} == {"run"}
    assert {row["host"] for row in made} == set(slurm_cluster.NODES)
    assert {row["step"] for row in made} >= {"crawl", "pack", "pretrain", "tasks", "evaluate"}
    # Every record that a node wrote is byte for byte the one that the local executor committed.
    assert clone.git("status", "--short", "records") == ""
    groups = [job for job in cluster.jobs().values() if "group" in job["comment"] or "data" in job["comment"]]  # fmt: skip
    assert groups and len(cluster.jobs()) < len(made) / 2, "short jobs travel together"


def test_killed_jobs_are_resubmitted_and_go_on(
    grown: Real, cluster: slurm_cluster.Cluster, tmp_path: Path
):
    """kill -9 of SLURM's own process, scancel, a node lost: each is tried again, none from the start."""
    local, remote = grown.copy(tmp_path / "local"), grown.copy(tmp_path / "remote")
    for one in (local, remote):
        one.edit("params/tiny.yaml", "  steps: 8\n  checkpoint_every: 4", "  steps: 2000\n  checkpoint_every: 2000")  # fmt: skip
    target = "records/pretrain.002000.json"
    local.snakemake(target)
    on(cluster, remote)
    log = remote.path / "logs/pretrain.002000.log"
    process = snakemake(remote, target)
    try:
        for kill in ("slurmstepd", "scancel", "node"):
            number = cluster.running("pretrain")
            _until_steps(log)
            node = cluster.jobs()[number]["node"]
            if kill == "slurmstepd":
                for daemon in cluster.daemons(number):
                    os.kill(daemon, signal.SIGKILL)
            elif kill == "scancel":
                cluster.call("scancel", number)
            else:
                cluster.call("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
            log.unlink(missing_ok=True)
            if kill == "node":
                cluster.call("scontrol", "update", f"nodename={node}", "state=resume")
        said = ended(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-4000:]
    assert remote.read(target) == local.read(target)
    assert "goes on from step" in log.read_text()


def test_a_failed_job_says_why_and_where_its_log_is(
    grown: Real, cluster: slurm_cluster.Cluster, tmp_path: Path
):
    copy = grown.copy(tmp_path / "copy")
    copy.edit(
        "src/regrow/tasks/step.py", "from __future__ import annotations\n",
        "from __future__ import annotations\n\nraise ValueError('planted')\n",
    )  # fmt: skip
    on(cluster, copy)
    copy.edit(PROFILE, "retries: 2", "retries: 0")
    process = snakemake(copy, "records/tasks.json")
    said = ended(process)
    assert process.returncode == 1
    assert "logs/tasks.log" in said
    assert ".snakemake/slurm_logs/rule_tasks/" in said
    assert "planted" in said
    assert "planted" in copy.read("logs/tasks.log")


def _until_steps(log: Path, seconds: float = 90) -> None:
    """Until the training on the node has made a saved step or two."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lines = log.read_text().splitlines() if log.exists() else []
        if any("step " in line for line in lines):
            time.sleep(1.0)
            return
        time.sleep(0.1)
    raise AssertionError(f"{log} shows no step")
