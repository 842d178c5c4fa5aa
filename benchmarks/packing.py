"""Peak memory and CPU time of mix, tokenizer and pack as the text grows, and the speed of tokenising: prints JSON.

    python benchmarks/packing.py [--scales 1 4 16] [--megabytes 20] [--table train.parquet] [--src src] [--steps pack]

Each step runs in a fresh process of its own; `--src` measures the code of another checkout on the same tables. The
documents (3 to 12 KB) are paragraphs of `--table`, drawn by seeds. Beside it the `tokenizers` package encodes the
same texts, with one thread, taking turns; ratios are of CPU seconds, medians of three.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from regrow.data.tables import parquet, stream
from regrow.data.tokens import bpe
from regrow.learn.tasks import step as tasks
from regrow.params.posttrain import Tasks

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = {"id": pl.String, "url": pl.String, "text": pl.String, "domain": pl.String}
SCORES = {"id": pl.String, "topic": pl.String, "quality": pl.Float64}
LENGTHS = (3_000, 12_000)
"""characters of a document, least and most"""
BATCH = 128
"""documents that are encoded at once beside the package: about a megabyte"""
TOPICS = ("markup", "systems", "databases", "literature")
ONE = """
import importlib, json, sys, time
from pathlib import Path
from types import SimpleNamespace
from regrow.params.data import Mix, Pack, Tokenizer
module, root, tokens = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
run = importlib.import_module(f"regrow.data.{module}").run
mix = Mix(tokens=tokens, cutoff=0.1, max_repeats=2)
params = SimpleNamespace(mix=mix, tokenizer=Tokenizer(), pack=Pack())
folders = {name: root / name for name in ("decontaminate", "classify", "tasks", "mix", "tokenizer")}
# Not ru_maxrss: it counts what the parent held when it forked.
status = lambda: dict(line.split(":") for line in open("/proc/self/status"))
peak = lambda: int(status()["VmHWM"].split()[0]) / 1024
before, cpu, wall = peak(), time.process_time(), time.perf_counter()
counts = run(folders, params, root / sys.argv[4])
print(json.dumps({
    "megabytes_before": round(before), "peak_megabytes": round(peak()),
    "cpu_seconds": round(time.process_time() - cpu, 2), "wall_seconds": round(time.perf_counter() - wall, 2),
}))
"""
STEPS = {"mix": "mix.step", "tokenizer": "tokens.train", "pack": "tokens.pack"}


def made(root: Path, table: Path, size: int) -> int:
    """Fill `root` with about `size` characters of documents, their scores and tasks; returns how many documents."""
    texts = parquet.read(table, ["text"])["text"]
    paragraphs = [part for text in texts for part in text.split("\n\n") if part.strip()]
    count = 2 * size // sum(LENGTHS)
    ids = sorted(hashlib.sha256(f"packing {i}".encode()).hexdigest()[:32] for i in range(count))
    folder = root / "decontaminate"
    with (
        stream.Writer(folder / "train.parquet", COLUMNS) as train,
        stream.Writer(folder / "heldout.parquet", COLUMNS) as held,
        stream.Writer(root / "classify" / "scores.parquet", SCORES) as scores,
    ):
        for number, name in enumerate(ids):
            rng = random.Random(name)
            left, chosen = rng.randint(*LENGTHS), []
            while left > 0:
                chosen.append(rng.choice(paragraphs)[:left])
                left -= len(chosen[-1]) + 2
            topic = rng.choice(TOPICS)
            row = {"id": name, "url": f"https://{topic}.example/{name}", "domain": topic}
            train.add(row | {"text": "\n\n".join(chosen)})
            if number < 20:
                held.add(row | {"text": "\n\n".join(chosen)})
            scores.add({"id": name, "topic": topic, "quality": rng.random()})
    tasks.run({}, SimpleNamespace(tasks=Tasks(train=1_000)), root / "tasks")
    return count


def measured(root: Path, source: Path, megabytes: float, steps: list[str]) -> dict[str, Any]:
    """Each step in a process of its own, and digests of what it wrote."""
    found: dict[str, Any] = {}
    for step in steps:
        command = [
            sys.executable,
            "-c",
            ONE,
            STEPS[step],
            str(root),
            str(int(megabytes * 1e6 / 3)),
            step,
        ]
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": str(source)},
            stdout=subprocess.PIPE,
            check=True,
        )
        found[step] = json.loads(done.stdout) | {
            "sha256": {
                path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted((root / step).iterdir())
            }
        }
    return found


def rates(root: Path, turns: int = 3) -> dict[str, Any]:
    """Megabytes per CPU second of the flow's encoding and of the package's own batches, ids read out by all.

    They take turns at every megabyte, so that what else runs on the machine slows all of them alike.
    """
    tokenizer, _ = bpe.load(root / "tokenizer")
    texts = parquet.read(root / "decontaminate" / "train.parquet", ["text"])["text"].to_list()
    size = sum(len(text.encode()) for text in texts) / 1e6
    sides: dict[str, Callable[[list[str]], int]] = {
        "regrow": lambda some: sum(map(len, bpe.encode(tokenizer, some))),
        "encode_batch": lambda some: sum(
            len(found.ids) for found in tokenizer.encode_batch(some, add_special_tokens=False)
        ),
        "encode_batch_fast": lambda some: sum(
            len(found.ids) for found in tokenizer.encode_batch_fast(some, add_special_tokens=False)
        ),
    }
    spent: dict[str, list[float]] = {name: [0.0] * turns for name in sides}
    for turn in range(turns):
        for at in range(0, len(texts), BATCH):
            for name, call in sides.items():
                start = time.process_time()
                call(texts[at : at + BATCH])
                spent[name][turn] += time.process_time() - start
    median = {name: statistics.median(times) for name, times in spent.items()}
    return {
        "megabytes": round(size, 2),
        "megabytes_per_cpu_second": {name: round(size / took, 2) for name, took in median.items()},
        "times_encode_batch": round(median["encode_batch"] / median["regrow"], 3),
        "times_encode_batch_fast": round(median["encode_batch_fast"] / median["regrow"], 3),
    }


def main() -> None:
    """Measure at every scale; the speed of encoding at the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scales", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--megabytes", type=float, default=20, help="of text at scale 1")
    parser.add_argument("--table", type=Path, default=ROOT / "data/decontaminate/train.parquet")
    parser.add_argument("--src", type=Path, default=ROOT / "src", help="whose code is measured")
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument(
        "--folder", type=Path, help="keep the tables there, and use those that are there"
    )
    parser.add_argument("--rates", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        result: dict[str, Any] = {"scales": {}}
        for scale in options.scales:
            root = (options.folder or Path(name)) / f"{scale}x"
            megabytes = options.megabytes * scale
            if not (root / "tasks").is_dir():
                made(root, options.table, int(megabytes * 1e6))
            documents = pl.scan_parquet(root / "decontaminate/train.parquet").select(pl.len())
            result["scales"][f"{scale}x"] = {
                "megabytes": megabytes,
                "documents": documents.collect().item(),
            } | measured(root, options.src, megabytes, options.steps)
        if options.rates:
            result["encoding"] = rates((options.folder or Path(name)) / f"{options.scales[0]}x")
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    # One thread: the same on every machine, and what is compared is the work.
    if os.environ.get("RAYON_NUM_THREADS") != "1":
        os.environ["RAYON_NUM_THREADS"] = "1"
        os.environ["POLARS_MAX_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
