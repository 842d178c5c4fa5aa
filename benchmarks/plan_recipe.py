"""Planning a recipe of 100, 1,000 and 10,000 shards: `regrow plan` and `snakemake -n` of the real flow, nothing run.

    python benchmarks/plan_recipe.py [--shards 100 1000 10000] [--output benchmarks/results/plan_recipe.json]

The recipe: one source of N small files in N shards, through reading, filters, signatures, dedup … to a pretraining of
20 steps: 3 N jobs and some twenty more. The repository is a clone of this one's HEAD without records. Each question is
asked in a fresh process, twice (the first finds no cache of hashes and syntax). CPU seconds are those of the process
and its children; wall seconds depend on what else the machine does; the peak is of the largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARAMS = """\
sources:
- web: {files: ["corpus/**/*.jsonl"], licence: CC0-1.0, origin: "written for a benchmark", shards: SHARDS}
stages: [pretrain]
pretrain: {steps: 20, checkpoint_every: 20}
"""


def prepare(root: Path, shards: int) -> None:
    """A clone without records, with a recipe of so many shards and files."""
    subprocess.run(["git", "clone", "-q", "--local", str(ROOT), str(root)], check=True)
    for record in (root / "records").glob("*.json"):
        record.unlink()
    (root / "params/shards.yaml").write_text(PARAMS.replace("SHARDS", str(shards)))
    for n in range(shards):
        path = root / f"corpus/{n // 1000:03d}/{n:06d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"id": str(n), "text": f"A text with the number {n}."}) + "\n")


def measured(root: Path, *command: str) -> tuple[dict[str, float], str]:
    """CPU and wall seconds and peak MB of a command, and what it said."""
    bin = Path(sys.executable).parent
    path = f"{bin}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PYTHONPATH": str(root / "src"), "PATH": path}
    start = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{command}: {said[-2000:]}")
    found = {
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "wall_seconds": round(time.perf_counter() - start, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
    }
    return found, said


def bench(shards: int) -> dict[str, Any]:
    """What planning takes, by question."""
    row: dict[str, Any] = {"shards": shards}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "regrow"
        prepare(root, shards)
        file = ("--configfile", "params/shards.yaml")
        plan = (sys.executable, "-m", "regrow.cli.main", "plan", "--json", *file)
        dry = ("snakemake", "-n", "-q", "rules", "--cores", "1", *file)
        for name, command in (("regrow plan", plan), ("snakemake -n", dry)):
            for turn in ("first", "again"):
                row[f"{name}, {turn}"], said = measured(root, *command)
                print(shards, name, turn, row[f"{name}, {turn}"], file=sys.stderr, flush=True)
        total = re.search(r"^total +(\d+)", said, re.MULTILINE)
        row["jobs"] = int(total[1]) if total else 0
    return row


def main() -> None:
    """Measure each number of shards."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    rows = [bench(shards) for shards in args.shards]
    text = json.dumps(rows, indent=2) + "\n"
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
