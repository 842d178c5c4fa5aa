"""A segment of training; its output exceeds 1 MB, above which Snakemake keeps no checksum."""

import os
import sys
import time

from toy.model import forward


def run(inputs, params, output, instance, scratch):
    if "previous" in inputs:
        values = [int(v) for v in (inputs["previous"] / "weights.txt").read_text().split()]
    else:
        tokens = (inputs["tokens"] / "nested" / "tokens.txt").read_text().split(" ")
        values = [int(t) + params.train.seed for t in tokens]
    pause = float(os.environ.get("REGROW_TOY_PAUSE", "0"))  # how long, never what
    done = scratch / "done.txt"
    start = int(done.read_text()) if done.exists() else 0
    if start:
        values = [int(v) for v in (scratch / "values.txt").read_text().split()]
    for step in range(start, 4):
        print(f"step {step}", file=sys.stderr)
        values = forward(values, params.train.lr)
        time.sleep(pause)
        (scratch / "values.tmp").write_text(" ".join(map(str, values)))
        (scratch / "values.tmp").replace(scratch / "values.txt")
        done.write_text(str(step + 1))
    (output / "weights.txt").write_text(" ".join(map(str, values)))
    (output / "large.bin").write_bytes(bytes(v % 251 for v in values) * 2_000)
