"""The Kubernetes profile: planned by the real Snakemake, sent by the real plugin to a stand-in for the API server."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import kubernetes_api
from real_repository import Real
from small_repository import BIN

PLUGINS = Path(sys.prefix) / "executors/kubernetes"
"""where `make env` puts Snakemake's Kubernetes executor, so that other calls of Snakemake do not load it"""
PROFILE = "workflow/profiles/kubernetes/config.yaml"

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(600),
]


def with_plugins(repository: Real) -> Real:
    repository.env["PYTHONPATH"] += f"{os.pathsep}{PLUGINS}"
    return repository


@pytest.mark.parametrize("flag", ["--profile", "--workflow-profile"])
def test_a_dry_run_plans_the_whole_flow(grown: Real, tmp_path: Path, flag: str):
    """As on one machine: the same jobs, all of them in pods; no cluster is asked."""
    clone = with_plugins(grown.clone(tmp_path / "clone"))
    done = clone.run(
        "snakemake", "-n", flag, "profiles/kubernetes", "--configfile", "params/tiny.yaml"
    )
    here = clone.snakemake("-n")
    stats = [re.findall(r"^(\w+) +(\d+)$", d.stdout + d.stderr, re.M) for d in (done, here)]
    assert stats[0] == stats[1] and dict(stats[0])["total"] == "74"


def test_snakemakes_own_plugin_refuses_a_shared_volume(grown: Real, tmp_path: Path):
    """Why workflow/executors has one; if this fails, it may go."""
    clone = with_plugins(grown.clone(tmp_path / "clone"))
    text = clone.read(PROFILE).replace("kubernetes-volume", "kubernetes")
    (clone.path / PROFILE).write_text(text)
    done = clone.run(
        "snakemake", "-n", "--profile", "profiles/kubernetes", "--configfile", "params/tiny.yaml",
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "no shared filesystem is assumed" in done.stdout + done.stderr


def test_pods_get_volume_image_and_memory_and_leave_the_same_record(grown: Real, tmp_path: Path):
    """One pod evicted, asked for again with more memory; its command is run as the plugin wrote it."""
    clone = with_plugins(grown.clone(tmp_path / "clone"))
    clone.edit(PROFILE, "regrow:/regrow", f"regrow:{clone.path}")
    clone.edit(PROFILE, "regrow:latest", "registry.example/regrow:1")
    pods = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with kubernetes_api.served(tmp_path, pods, evicted=1) as api:
        done = clone.run(
            "snakemake", "records/tasks.json", "--workflow-profile", "profiles/kubernetes",
            "--configfile", "params/tiny.yaml", "--seconds-between-status-checks", "1",
            KUBECONFIG=str(tmp_path / "kubeconfig"),
        )  # fmt: skip
    assert clone.git("status", "--short", "records") == ""
    assert clone.outcomes() == {"run": ["tasks"]}
    assert "Error in rule tasks" in done.stdout + done.stderr  # the eviction is told of
    specs = [job["spec"]["template"]["spec"] for job in api.jobs]
    assert len(specs) == 2
    for spec, memory in zip(specs, ("4000M", "8000M"), strict=True):
        (container,) = spec["containers"]
        assert container["image"] == "registry.example/regrow:1"
        assert container["resources"]["requests"]["memory"] == memory
        assert container["resources"]["requests"]["cpu"] == "950m"
        claims = [v["persistentVolumeClaim"] for v in spec["volumes"] if "persistentVolumeClaim" in v]  # fmt: skip
        assert claims == [{"claimName": "regrow"}]
        mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        assert mounts["regrow"] == str(clone.path)
    # The run's secret and the job that went well are deleted; the failed one stays to be looked at.
    gone = [request for request in api.requests if request.startswith("DELETE")]
    assert len(gone) == 2 and any("/secrets/" in request for request in gone)
    assert any(request.endswith(api.jobs[1]["metadata"]["name"]) for request in gone)
