"""Distances of all pairs from their sets of k-mers: Jaccard, or Mash (Ondov et al. 2016, equation 4)."""

import json
import math
from pathlib import Path


def run(inputs, params, output: Path) -> dict:
    """Fill `output` with distances.tsv: a row per pair in the order of the names. Returns the number of pairs."""
    read = json.loads((inputs["count"] / "counts.json").read_text())
    sets = {name: set(own) for name, own in read["counts"].items()}
    rows = [
        f"{a}\t{b}\t{distance(sets[a], sets[b], read['k'], params.compare.distance):.6f}"
        for a in sorted(sets)
        for b in sorted(sets)
        if a < b
    ]
    output.mkdir(parents=True, exist_ok=True)
    (output / "distances.tsv").write_text("\n".join(rows) + "\n")
    return {"pairs": len(rows)}


def distance(a: set, b: set, k: int, kind: str) -> float:
    """In [0, 1]; 1 where nothing is shared."""
    shared = len(a & b) / len(a | b) if a | b else 1.0
    if kind == "jaccard":
        return 1 - shared
    return min(1.0, -math.log(2 * shared / (1 + shared)) / k) if shared else 1.0
