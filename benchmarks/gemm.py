"""Matrix products of the demo model: our kernels beside torch.mm (its vendor library), one thread.

The two take turns on every shape; GFLOP/s by CPU time, median of the turns.
`python benchmarks/gemm.py [turns]`. Set REGROW_ISA to compare instruction sets.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "out" / "gemm.json"

# what, m, n, k, and how each operand lies in memory (n: as it is, t: transposed)
SHAPES = (
    ("q, k, v, o", 1024, 128, 128, "nt"),
    ("gate, up", 1024, 384, 128, "nt"),
    ("down", 1024, 128, 384, "nt"),
    ("head", 1024, 2048, 128, "nt"),
    ("d x of the head", 1024, 128, 2048, "nn"),
    ("d x of gate, up", 1024, 128, 384, "nn"),
    ("d weight q, k, v, o", 128, 128, 1024, "tn"),
    ("d weight gate, up", 384, 128, 1024, "tn"),
    ("d weight head", 2048, 128, 1024, "tn"),
    ("Newton-Schulz", 128, 384, 128, "nn"),
    ("decode 1, head", 1, 2048, 128, "nt"),
    ("decode 8, head", 8, 2048, 128, "nt"),
)


def measure(call: Callable[[], Any], flops: int) -> float:
    repeats = max(1, int(2e8 / flops))
    begin = time.process_time()
    for _ in range(repeats):
        call()
    return repeats * flops / max(time.process_time() - begin, 1e-9) / 1e9


def main(turns: int) -> None:
    import torch

    from regrow.numerics import library
    from regrow.numerics.torch import kernels

    torch.set_num_threads(1)
    kernels.set_threads(1)
    print(f"{library.chosen():22} {'m':>5} {'n':>5} {'k':>5}     ours  torch.mm  ratio (GFLOP/s)")
    rows = []
    for what, m, n, k, lies in SHAPES:
        a = torch.randn(m, k) if lies[0] == "n" else torch.randn(k, m).t()
        b = torch.randn(k, n) if lies[1] == "n" else torch.randn(n, k).t()
        flops = 2 * m * n * k
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(turns):
            ours.append(measure(lambda a=a, b=b: kernels.product(a, b), flops))
            theirs.append(measure(lambda a=a, b=b: torch.mm(a, b), flops))
        x, y = statistics.median(ours), statistics.median(theirs)
        print(f"{what:22} {m:5} {n:5} {k:5} {x:8.0f} {y:9.0f} {x / y:6.2f}")
        rows.append({"what": what, "m": m, "n": n, "k": k, "regrow": ours, "torch": theirs})
    OUT.parent.mkdir(exist_ok=True)
    report = {"isa": library.chosen(), "gflops": rows}
    OUT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
