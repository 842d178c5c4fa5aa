"""What an index costs: build time, memory, bytes and query time over the number of tokens.

    python benchmarks/index_scale.py [TOKENS ...]        (default: 1e6 1e7)

The tokens are documents drawn from a Zipf law over 50,000 words with a tenth of them repeated, cut
into rows of 4,096, as a large pack is. CPU seconds of one process; queries of 100 tokens, half of them
taken from the data, with one row in ten uncounted.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from regrow.data.index import files
from regrow.data.index.build import shards
from regrow.data.index.rows import packed

LENGTH = 4_096
QUERIES = 40


def pack(folder: Path, tokens: int) -> None:
    """A pack of about so many tokens."""
    draw = np.random.default_rng(7)
    rows = tokens // LENGTH
    with (folder / "tokens.bin").open("wb") as file:
        last = None
        for first in range(0, rows, 1_000):
            count = min(1_000, rows - first)
            made = (draw.zipf(1.1, (count, LENGTH)) % 50_000 + 10).astype("<u2")
            if last is not None:
                made[: count // 10] = last[: count // 10]  # repeats, as mixes have
            made.tofile(file)
            last = made
    meta = {"sequences": rows, "sequence_length": LENGTH}
    (folder / "meta.json").write_text(json.dumps(meta))


def measure(tokens: int) -> None:
    """Build, then ask."""
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "pack", Path(place) / "index"
        source.mkdir()
        pack(source, tokens)
        begin = time.process_time()
        meta = files.write(target, shards(packed(source)))
        built = time.process_time() - begin
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        size = sum(path.stat().st_size for path in target.iterdir())
        index = files.read(target)
        counted = np.arange(meta["rows"]) % 10 != 0
        draw = np.random.default_rng(8)
        spent: dict[str, list[float]] = {"first": [], "again": []}
        for number in range(QUERIES):
            row = index.row(int(draw.integers(meta["rows"])))
            at = int(draw.integers(LENGTH - 100))
            query = row[at : at + 100].copy()
            if number % 2:
                query[::7] = draw.integers(10, 50_000, len(query[::7]))
            for which in spent:
                begin = time.process_time()
                index.matches(query, 4, counted)
                spent[which].append(1000 * (time.process_time() - begin))
        print(
            f"{meta['tokens']:>13,} tokens in {len(meta['shards'])} shards: built in {built:8.1f} s "
            f"({1e6 * built / tokens:.2f} us a token), {size / tokens:.2f} bytes a token, "
            f"at most {memory / 1e9:.2f} GB of memory ({memory / tokens:.1f} bytes a token); "
            f"100 tokens looked up in {statistics.median(spent['first']):.1f} ms at first, "
            f"{statistics.median(spent['again']):.1f} ms again",
            flush=True,
        )


if __name__ == "__main__":
    for wanted in map(float, sys.argv[1:] or ["1e6", "1e7"]):
        measure(int(wanted))
