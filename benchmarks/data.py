"""Documents per second of the data steps, on one thread: prints JSON.

    python benchmarks/data.py [--documents 2000] [--words 600] [--table documents.parquet]

Without a table it makes one: documents of random English-like words, a tenth of them near-copies
(1 % of the words changed), so that every step has something to find. CPU time is reported
beside wall time, for shared machines.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from regrow.data.dedup import decontaminate
from regrow.data.dedup import step as dedup
from regrow.data.filters import language
from regrow.data.filters import step as filters
from regrow.learn.tasks import step as tasks
from regrow.params.data import Decontaminate, Dedup, Filter
from regrow.params.posttrain import Tasks

ROOT = Path(__file__).resolve().parent.parent
STOP = ["the", "be", "to", "of", "and", "that", "have", "with", "a", "in", "is", "it", "for"]


def made(documents: int, words: int) -> pl.DataFrame:
    """A table of made-up documents."""
    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(3, 9))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    rows: list[dict[str, str]] = []
    for i in range(documents):
        if i % 10 == 9:
            text = rows[-1]["text"].split(" ")
            for place in rng.sample(range(len(text)), max(len(text) // 100, 1)):
                text[place] = rng.choice(vocabulary)
        else:
            text = [
                rng.choice(STOP) if rng.random() < 0.4 else word
                for word in rng.choices(vocabulary, weights, k=rng.randint(words // 2, 2 * words))
            ]
            for place in range(12, len(text), 12):
                text[place] += ".\n" if place % 5 == 0 else "."
        rows.append(
            {
                "id": f"{i:08x}",
                "url": f"http://site{i % 7}.example/{i}.html",
                "source": f"site{i % 7}",
                "text": " ".join(text),
            }
        )
    return pl.DataFrame(rows)


def timed(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Rates of one step, and what it counted."""
    wall, cpu = time.perf_counter(), time.process_time()
    counts = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "documents": counts["in"],
        "kept": counts["kept"],
        "dropped": counts["dropped"],
        "wall_seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "documents_per_second": round(counts["in"] / wall, 1),
        "documents_per_cpu_second": round(counts["in"] / cpu, 1),
    }


def main() -> None:
    """Run filter, dedup and decontaminate on one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--words", type=int, default=600, help="mean words of a made document")
    parser.add_argument("--table", type=Path, help="measure on this documents.parquet instead")
    options = parser.parse_args()

    table = (
        pl.read_parquet(options.table) if options.table else made(options.documents, options.words)
    )
    # A made text is no language: it is identified all the same, and any answer will do.
    found = sorted({language.identify(text)[0] for text in table["text"][:200]})
    rules = Filter() if options.table else Filter(language_min_score=0, languages=found)
    params = SimpleNamespace(filter=rules, dedup=Dedup(), decontaminate=Decontaminate())

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "text").mkdir()
        table.write_parquet(root / "text" / "documents.parquet")
        tasks.run({}, SimpleNamespace(tasks=Tasks(train=10)), root / "tasks")
        result = {
            "megabytes": round(table["text"].str.len_bytes().sum() / 1e6, 2),
            "filter": timed(lambda: filters.run({"text": root / "text"}, params, root / "f")),
            "dedup": timed(lambda: dedup.run({"filter": root / "f"}, params, root / "d")),
            "decontaminate": timed(
                lambda: decontaminate.run(
                    {"dedup": root / "d", "evals": ROOT / "evals", "tasks": root / "tasks"},
                    params,
                    root / "c",
                )
            ),
        }
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
