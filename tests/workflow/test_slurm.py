"""The real flow on a real SLURM cluster of two nodes: same bytes as on one machine, also after kills."""

from __future__ import annotations

import json
import os
import re
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
STEPS = 300
WHY = slurm_cluster.lacking()
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(WHY), reason=WHY),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm_cluster.Cluster]:
    """Two nodes."""
    with slurm_cluster.started(tmp_path_factory.mktemp("slurm")) as found:
        yield found


def on(cluster: slurm_cluster.Cluster, repository: Real) -> None:
    """Let a repository's commands find the cluster and the plugin; look at the queue sooner."""
    repository.env |= cluster.env
    repository.env["PYTHONPATH"] += f"{os.pathsep}{PLUGINS}"
    assert repository.env["REGROW_WARM"] == "1", "asked for, and not done where jobs run elsewhere"
    for name in ("slurm-init-seconds-before-status-checks", "seconds-between-status-checks"):
        repository.edit("workflow/profiles/slurm/config.yaml", f"{name}: 10", f"{name}: 3")


def snakemake(repository: Real, *targets: str) -> subprocess.Popen[str]:
    """As a user starts it; on nothing else than the profile."""
    command = ["snakemake", *targets, "--configfile", "params/tiny.yaml", "--workflow-profile", "profiles/slurm"]  # fmt: skip
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
    """No data, no cache: from the crawl to a first checkpoint and an index."""
    clone = grown.clone(tmp_path / "clone")
    on(cluster, clone)
    before = cluster.jobs()
    process = snakemake(clone, "records/pretrain.000000.json", "records/index.pack.json")
    said = ended(process)
    assert process.returncode == 0, said[-4000:]
    made = runs(clone)
    assert {row["outcome"] for row in made} == {"run"}
    assert {row["host"] for row in made} == set(slurm_cluster.NODES)
    assert {row["step"] for row in made} >= {"crawl", "tasks", "pack", "pretrain", "index"}
    # Every record that a node wrote is byte for byte the one that the local executor committed.
    assert clone.git("status", "--short", "records") == ""
    states = [job["state"] for number, job in cluster.jobs().items() if number not in before]
    assert states == ["COMPLETED"] * 7, (
        f"{len(made)} jobs: crawl to dedup and classify to tokenizer travel together"
    )


def test_a_killed_job_is_resubmitted_and_goes_on_on_the_other_node(
    grown: Real, cluster: slurm_cluster.Cluster, tmp_path: Path
):
    """kill -9, and the node is lost: equal to an undisturbed run on this machine."""
    local = grown.copy(tmp_path / "local")
    local.edit(
        "params/tiny.yaml",
        "steps: 8\n  checkpoint_every: 4",
        f"steps: {STEPS}\n  checkpoint_every: {STEPS}",
    )
    local.snakemake("records/pretrain.000000.json")
    remote = local.copy(tmp_path / "remote")
    on(cluster, remote)
    target = f"records/pretrain.{STEPS:06d}.json"
    job = f"pretrain_wildcards_{STEPS:06d}"
    process = snakemake(remote, target)
    node = slurm_cluster.NODES[0]
    try:
        first = cluster.running(job)
        saved = _saved(remote)
        node = cluster.jobs()[first]["node"]
        cluster.call("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        for pid in cluster.processes(first, "regrow run pretrain"):
            os.kill(pid, signal.SIGKILL)
        local.snakemake(target)
        said = ended(process)
    finally:
        cluster.call("scontrol", "update", f"nodename={node}", "state=resume")
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-4000:]
    tries = {n: j["node"] for n, j in cluster.jobs().items() if job in j["comment"]}
    assert len(tries) == 2 and tries[first] == node
    assert set(tries.values()) == set(slurm_cluster.NODES)
    went = re.findall(r"goes on from step (\d+)", remote.read(f"logs/pretrain.{STEPS:06d}.log"))
    assert int(went[-1]) >= saved
    # Who watches the run is told, and where to look.
    assert f"SLURM-job '{first}' failed" in said
    assert f".snakemake/slurm_logs/rule_pretrain/{STEPS:06d}/{first}.log" in said
    assert remote.read(target) == local.read(target)


def _saved(repository: Real, seconds: float = 60) -> int:
    """The step of the training state that a job has kept for the next try, as soon as there is one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in repository.path.glob(".regrow/scratch/*/step-*"):
            return int(path.name.removeprefix("step-"))
        time.sleep(0.05)
    raise AssertionError("no state was saved")
