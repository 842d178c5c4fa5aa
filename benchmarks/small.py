"""What a run of a recipe with sources took, step by step: documents, bytes, CPU and wall seconds, peak memory, hashes.

    snakemake --cores 2 --configfile params/small.yaml        # first
    python benchmarks/small.py [--output benchmarks/results/small.json] [--check benchmarks/results/small.json]

Run in the repository that was built. Seconds and peaks are those of `.regrow/runs.jsonl`, of the last time that each job
ran; a job that never ran here is left out. Steps of sources (`read_python` …) are added up: jobs,
seconds, and the largest peak. The parts of a step that the recipe cuts (`parts`) are added up as well. `--check` compares the hashes of the steps that gather with a file that was written
before, so that two runs can be told apart by a file of this repository.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SHARDED = ("fetch", "read", "filter", "signatures")
GATHERED = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "tokenizer", "pack")
ORDER = (
    *(f"{one}, by source" for one in SHARDED), *GATHERED[:3], "decontaminate_heldout", "decontaminate_part",
    "decontaminate", "classify_models", "classify_part", *GATHERED[4:7], "pack_part", "pack",
)  # fmt: skip


def table(root: Path) -> dict[str, Any]:
    """Step -> what it took, in the order of the flow."""
    took: dict[str, dict[str, Any]] = {}
    for line in (root / ".regrow/runs.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["outcome"] == "run":
            took[row["key"]] = row
    found: dict[str, Any] = {}
    for path in sorted((root / "records").glob("*.json")):
        record = json.loads(path.read_text())
        step, counts = str(record["step"]), record["counts"]
        head = step.partition("_")[0]
        sharded = head in SHARDED and "_" in step
        name = f"{head}, by source" if sharded else step
        run = took.get(record["key"])
        if run is None:  # of another run
            continue
        one = found.setdefault(name, {"jobs": 0, "documents_in": 0, "documents_kept": 0, "output_bytes": 0, "cpu_seconds": 0.0, "wall_seconds": 0.0, "peak_mb": 0})  # fmt: skip
        one["jobs"] += 1
        one["documents_in"] += counts.get(
            "in", counts.get("addresses", 0) if head == "fetch" else 0
        )
        one["documents_kept"] += counts.get(
            "kept", counts.get("files", 0) if head == "fetch" else 0
        )
        one["output_bytes"] += record["output"]["size"]
        one["cpu_seconds"] = round(one["cpu_seconds"] + run["cpu_seconds"], 1)
        one["wall_seconds"] = round(one["wall_seconds"] + run["seconds"], 1)
        one["peak_mb"] = max(one["peak_mb"], round(run["max_rss_bytes"] / 1e6))
        if step in GATHERED and not record["instance"]:
            one["sha256"] = record["output"]["sha256"]
            one["counts"] = {k: v for k, v in counts.items() if isinstance(v, int)}
    return {name: found[name] for name in [*ORDER, *sorted(found)] if name in found}


def main() -> None:
    """Print the table, or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path.cwd())
    parser.add_argument("--output", type=Path)
    parser.add_argument("--check", type=Path)
    args = parser.parse_args()
    found = table(args.root)
    if args.output:
        args.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    head = ("step", "jobs", "documents", "output MB", "CPU s", "wall s", "peak MB")
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for name, one in found.items():
        kept = f"{one['documents_kept']:,}" if one["documents_kept"] else ""
        print(f"| {name} | {one['jobs']} | {kept} | {one['output_bytes'] / 1e6:,.1f} | {one['cpu_seconds']:,.0f} | {one['wall_seconds']:,.0f} | {one['peak_mb']:,} |")  # fmt: skip
    if args.check:
        then = json.loads(args.check.read_text())
        names = [name for name in GATHERED if name in found]
        other = [n for n in names if found[n].get("sha256") != then.get(n, {}).get("sha256")]
        print(f"{len(names) - len(other)} of {len(names)} outputs equal to {args.check}")
        if other:
            raise SystemExit(f"other bytes: {', '.join(other)}")


if __name__ == "__main__":
    main()
