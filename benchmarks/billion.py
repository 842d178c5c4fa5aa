"""What 10^9 documents would take, computed from what was measured: nothing of that size was run.

    python benchmarks/billion.py [--documents 1e9] [--per-shard 100000] [--parts 1000] [--cores 1000]

From `benchmarks/results/small.json` (a run of params/small.yaml) come CPU seconds and bytes by document of each step,
from `plan_recipe.json` the seconds of planning by shard. The law is one line: a step's CPU seconds, and the bytes that
it writes, are its documents times what one took there (benchmarks/results/data_memory.json: about linear from 20 to 1,280
MB of text). Sharded steps, and the parts of steps that the recipe cuts, divide by the cores; a step that gathers is one process,
so that its CPU time is its time.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
SHARDED = ("fetch, by source", "read, by source", "filter, by source", "signatures, by source")
CUT = ("decontaminate_part", "classify_part", "pack_part")
GATHERED = (
    "text", "filter", "dedup", "decontaminate_heldout", CUT[0], "decontaminate", "classify_models", CUT[1], "classify",
    "mix", CUT[2], "pack",
)  # fmt: skip
"""the tokenizer reads a sample, whose size does not depend on the corpus"""
RECORDS = 4
"""of a shard: fetched, read, filtered, signed"""
FILES = 9
"""of a shard in data/: files.tsv and one fetched archive, three tables of reading, two each of filters, one of signatures"""
RECORDS_BYTES = 87_000
"""of the four records of a shard (params/small.yaml: 18 to 29 kB each, that of fetching 0.3 kB more for each file)"""


def estimate(documents: float, per_shard: float, parts: int, cores: int) -> dict[str, Any]:
    """Jobs, core hours, storage, files and planning."""
    small = json.loads((RESULTS / "small.json").read_text())
    plans = json.loads((RESULTS / "plan_recipe.json").read_text())
    shards = -(-int(documents) // int(per_shard))
    rows = {}
    for name in (*SHARDED, *GATHERED):
        if name not in small:
            continue
        one = small[name]
        times = documents / _covered(small, name)
        hours = one["cpu_seconds"] * times / 3600
        jobs = shards if name in SHARDED else parts if name in CUT else 1
        rows[name] = {
            "jobs": jobs,
            "core_hours": hours,
            "days": hours / 24 / min(cores, jobs),
            "terabytes": one["output_bytes"] * times / 1e12,
            "peak_mb": one["peak_mb"],
        }
    largest = plans[-1]
    question = "snakemake -n, first"
    return {
        "documents": documents,
        "shards": shards,
        "jobs": sum(row["jobs"] for row in rows.values()) + 1,
        "core_hours": sum(row["core_hours"] for row in rows.values()),
        "sharded_core_hours": sum(rows[name]["core_hours"] for name in SHARDED),
        "cut_core_hours": sum(rows[name]["core_hours"] for name in CUT if name in rows),
        "terabytes": sum(row["terabytes"] for row in rows.values()),
        "files": shards * FILES,
        "records": shards * RECORDS,
        "records_megabytes": shards * RECORDS_BYTES / 1e6,
        "planning_cpu_seconds": largest[question]["cpu_seconds"] * (shards / largest["shards"]),
        "steps": rows,
    }


def _covered(small: dict[str, Any], name: str) -> float:
    """Of how many documents that were read a step's figures are: not every job of a source may have been measured."""
    text, kept = small["text"]["documents_kept"], small["filter"]["documents_kept"]
    if name in SHARDED[:2]:
        return float(small["read, by source"]["documents_kept"])
    if name == SHARDED[2]:
        return float(small[name]["documents_in"])
    return float(small[name]["documents_in"] * text / kept if name == SHARDED[3] else text)


def main() -> None:
    """Print the estimate."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=float, default=1e9)
    parser.add_argument("--per-shard", type=float, default=1e5, help="documents in a shard")
    parser.add_argument("--parts", type=int, default=1000, help="of the steps that the recipe cuts")
    parser.add_argument("--cores", type=int, default=1000, help="for shards and parts")
    args = parser.parse_args()
    found = estimate(args.documents, args.per_shard, args.parts, args.cores)
    print("Computed, not run.")
    for name, value in found.items():
        if name != "steps":
            print(f"{name:<22}{value:>16,.0f}" if value >= 100 else f"{name:<22}{value:>16,.2f}")
    print("\n| step | jobs | core hours | days | TB written |\n| --- | --- | --- | --- | --- |")
    for name, row in found["steps"].items():
        print(f"| {name} | {row['jobs']:,} | {row['core_hours']:,.0f} | {row['days']:,.1f} | {row['terabytes']:,.2f} |")  # fmt: skip


if __name__ == "__main__":
    main()
