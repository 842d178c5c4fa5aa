"""A sharded recipe on a real SLURM of two nodes: the same bytes as on one machine, with a node's job killed.

    python benchmarks/slurm_shards.py [--shards 4] [--output benchmarks/results/slurm_shards.json]

The recipe: 240 rows in 12 files, read, filtered and signed in shards, then compared, scored and packed in as many
parts. It is built twice in copies of this repository: by the local executor uncut, and on the cluster of
tests/support/slurm_cluster.py (two `slurmd` with host names of their own; Debian: slurm-wlm, munge; root) with
`--shards`. There the three steps of a shard are one SLURM job. The first of these that runs is killed with SIGKILL
and its node drained, so that the other takes it again. Compared are the SHA-256 of every output from `text` to
`pack`, which say nothing of shards.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))

import slurm_cluster  # noqa: E402
from real_repository import Real, fresh  # noqa: E402

PLUGINS = Path(sys.prefix) / "executors/slurm"
GATHERED = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "tokenizer", "pack")
PARAMS = """\
sources:
- web: {files: ["corpus/*.jsonl"], licence: CC0-1.0, origin: "written for a benchmark", shards: SHARDS}
parts: SHARDS
stages: [pretrain]
filter: {max_top_ngram: {}, max_duplicate_ngram: {}, language_min_score: 0.0}
decontaminate: {heldout_min: 2}
mix: {tokens: 1000000, cutoff: 0, max_repeats: 1}
tokenizer: {vocabulary: 600, sample_bytes: 100000, task_share: 0}
pack: {sequence_length: 64}
"""
TARGET = "records/pack.json"
FILE = "params/shards.yaml"


def prepare(path: Path, shards: int) -> Real:
    """A repository with the corpus and the recipe."""
    made = fresh(path)
    words = [f"{a}{b}" for a in ("stone", "river", "garden", "letter") for b in ("", "s", "ing")]
    (path / "corpus").mkdir()
    for file in range(12):
        rows = []
        for n in range(20):
            own = random.Random(file * 20 + n % 19)  # one in twenty is a copy
            said = " ".join(
                "the " + " ".join(own.choices(words, k=6)) + " of a day." for _ in range(40)
            )
            rows.append(json.dumps({"id": f"{file}-{n}", "text": f"{said} {own.random()}"}))
        (path / f"corpus/{file:02d}.jsonl").write_text("\n".join(rows) + "\n")
    (path / FILE).write_text(PARAMS.replace("SHARDS", str(shards)))
    made.commit("a corpus")
    return made


def hashes(repository: Real) -> dict[str, str]:
    """SHA-256 of the output of each step that gathers."""
    found = {}
    for name in GATHERED:
        record = json.loads(repository.read(f"records/{name}.json"))
        found[name] = record["output"]["sha256"]
    return found


def on_cluster(cluster: slurm_cluster.Cluster, repository: Real) -> dict[str, Any]:
    """Build on the cluster, with a kill; what happened."""
    repository.env |= cluster.env
    repository.env["PYTHONPATH"] += f"{os.pathsep}{PLUGINS}"
    for name in ("slurm-init-seconds-before-status-checks", "seconds-between-status-checks"):
        repository.edit("workflow/profiles/slurm/config.yaml", f"{name}: 10", f"{name}: 3")
    groups = "\n".join(f"  - {does}_web=shard" for does in ("read", "filter", "signatures"))
    repository.edit("workflow/profiles/slurm/config.yaml", "groups:\n", f"groups:\n{groups}\n")
    command = ["snakemake", TARGET, "--configfile", FILE, "--workflow-profile", "profiles/slurm"]
    start = time.monotonic()
    log = repository.path / "slurm.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=repository.path, env=repository.env, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    killed: list[str] = []
    node = ""
    while process.poll() is None and time.monotonic() - start < 900:
        for number, job in cluster.jobs().items() if not killed else ():
            pids = cluster.processes(number, "regrow run") if job["state"] == "RUNNING" else []
            if "shard" in job["comment"] and pids:
                node = job["node"]
                cluster.call("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                killed.append(number)
                break
        time.sleep(0.2)
    if node:
        cluster.call("scontrol", "update", f"nodename={node}", "state=resume")
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise SystemExit(log.read_text()[-4000:])
    runs = [json.loads(line) for line in repository.read(".regrow/runs.jsonl").splitlines()]
    return {
        "slurm_jobs": len(cluster.jobs()),
        "killed": len(killed),
        "nodes": sorted({row["host"] for row in runs}),
        "jobs": len(runs),
        "wall_seconds": round(time.monotonic() - start),
        "cpu_seconds_of_steps": round(sum(row["cpu_seconds"] for row in runs), 1),
    }


def main() -> None:
    """Build twice and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    if why := slurm_cluster.lacking():
        raise SystemExit(why)
    with tempfile.TemporaryDirectory() as folder:
        local = prepare(Path(folder) / "local", 1)
        local.run("snakemake", TARGET, "--cores", "1", "--configfile", FILE)
        remote = prepare(Path(folder) / "remote", args.shards)
        (Path(folder) / "slurm").mkdir()
        with slurm_cluster.started(Path(folder) / "slurm") as cluster:
            found = on_cluster(cluster, remote)
        here, there = hashes(local), hashes(remote)
    equal = [name for name in GATHERED if here[name] == there[name]]
    answer = {"shards": args.shards, **found, "equal": equal, "of": len(GATHERED)}
    text = json.dumps(answer, indent=2) + "\n"
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    print(text, end="")
    if len(equal) < len(GATHERED) or not found["killed"] or len(found["nodes"]) < 2:
        raise SystemExit("not shown")


if __name__ == "__main__":
    main()
