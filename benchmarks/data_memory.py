"""Peak memory and CPU seconds of data steps over the size of their text: prints JSON.

    python benchmarks/data_memory.py decontaminate classify [--scales 1 4 16 64] [--megabytes 20] [--tables FOLDER]

1 x is `--megabytes` of text: documents of about 4 KB, made from paragraphs of the demo's documents (`make demo` first,
or --table), a word in thirty made up, so that the vocabulary grows with the text as it does in code and listings. Each
measurement is a process of its own; peak is the resident memory that the system counts (`getrusage`), CPU seconds those
of all its threads. At 1 x the medians of --repeats. --code measures the package in another checkout's `src` on the same
tables. --tables keeps the tables there, for other steps and runs. Nothing is measured in this process, and it loads no
library: a child's peak starts at its parent's. 64 x takes 5 GB of disk, and about an hour of one core for all steps.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHARACTERS = 4_000
"""of a made document"""
TABLE = "documents.parquet"
PARTS = 32
"""that are gathered: more than are merged at once"""


def tasks_and_evals(folder: Path, params: Any) -> None:
    """What decontaminate reads beside the documents."""
    from regrow.learn.tasks import step

    if not (folder / "tasks").exists():
        step.run({}, params, folder / "tasks")
        (folder / "evals").symlink_to(ROOT / "evals")


def parts(folder: Path, params: Any) -> None:
    """What gather reads: the documents of the table in turns, as if so many parts had been read."""
    from regrow.data.sources import table
    from regrow.data.tables import stream
    from regrow.data.tables.parquet import DROPS

    places = [folder / "parts" / f"made.{number:03d}" for number in range(PARTS)]
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(stream.Writer(place / "documents.parquet", table.DOCUMENTS))
            for place in places
        ]
        for at, row in enumerate(stream.rows(folder / TABLE)):
            writers[at % PARTS].add(row)
    for place in places:
        stream.write(place / "drops.parquet", DROPS, [])


def lines(folder: Path, params: Any) -> None:
    """What read reads: the documents of the table as rows of JSON."""
    from regrow.data.tables import stream

    with (folder / "made.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in stream.rows(folder / TABLE))


def decontaminate(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.dedup import decontaminate as step

    step.run({name: folder / name for name in ("dedup", "evals", "tasks")}, params, output)


def classify(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.mix import classify as step

    step.run({"decontaminate": folder / "decontaminate"}, params, output)


def read(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.sources.kinds import jsonl

    entry = {
        "name": "made",
        "kind": "jsonl",
        "files": ["x"],
        "licence": "unknown",
        "origin": "made",
    }
    jsonl.run({"files.000": folder / "made.jsonl"}, params, output, source=entry, instance="all")


def filters(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.filters import step

    step.run({"text": folder / "text"}, params, output)


def dedup(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.dedup import step

    step.run({"filter": folder / "filter"}, params, output)


def substring(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.dedup import step
    from regrow.params.data import Substring

    asked = params.dedup.model_copy(update={"substring": Substring()})
    step.run({"filter": folder / "filter"}, params.model_copy(update={"dedup": asked}), output)


def gather(folder: Path, params: Any, output: Path) -> None:
    from regrow.data.sources import gather as step

    inputs = {place.name: place for place in (folder / "parts").iterdir()}
    step.text(inputs, params, output, sources=[])


STEPS: dict[str, tuple[Callable[[Path, Any, Path], None], str, Callable[[Path, Any], None] | None]]
STEPS = {
    "read": (read, "made.jsonl", lines),
    "gather": (gather, "parts", parts),
    "filter": (filters, "text/documents.parquet", None),
    "dedup": (dedup, "filter/documents.parquet", None),
    "substring": (substring, "filter/documents.parquet", None),
    "decontaminate": (decontaminate, "dedup/documents.parquet", tasks_and_evals),
    "classify": (classify, "decontaminate/train.parquet", None),
}
"""how a step is run, what it reads, and what makes its inputs of the table, or others beside it"""


def make(step: str, folder: Path, table: Path, megabytes: float, params: Any) -> None:
    """Make the inputs of a step, unless they are there: the table, which most steps read as it is, and the rest."""
    _, name, others = STEPS[step]
    if (folder / name).exists():
        return
    if not (folder / TABLE).exists():
        documents(folder / TABLE, table, megabytes)
    if others:
        others(folder, params)
    if not (folder / name).exists():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).hardlink_to(folder / TABLE)


def documents(path: Path, table: Path, megabytes: float) -> None:
    """Write a sorted table of made documents."""
    import polars as pl

    from regrow.data.tables import stream

    real = pl.read_parquet(table).sort("id")
    rows = real.drop("text").to_dicts()
    paragraphs = [
        [part for part in text.split("\n\n") if len(part) > 40] or [text] for text in real["text"]
    ]
    schema = stream.schema_of([table]) | {"domain": pl.String}
    rng, made, at = random.Random(0), 0, 0
    unfinished = path.with_suffix(".unfinished")
    with stream.Writer(unfinished, schema) as writer:
        while made < megabytes * 1e6:
            which = rng.randrange(len(rows))
            parts: list[str] = []
            while sum(map(len, parts)) < CHARACTERS * rng.uniform(0.4, 1.6):
                parts.append(rng.choice(paragraphs[which])[:CHARACTERS])
            words = "\n\n".join(parts).split(" ")
            for place in range(rng.randrange(30), len(words), 30):
                words[place] += f"{rng.randrange(1 << 40):x}"
            text = " ".join(words)
            url = f"{rows[which]['url']}/{at}"
            writer.add({**rows[which], "id": f"{at:032x}", "url": url, "text": text, "domain": "d"})
            made += len(text.encode())
            at += 1
    unfinished.replace(path)


def one(step: str, folder: Path, params: Any) -> None:
    """Run a step in this process and print what it took."""
    cpu = time.process_time()
    with tempfile.TemporaryDirectory(dir=folder) as output:
        STEPS[step][0](folder, params, Path(output))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {"peak_mb": round(peak / 1024, 1), "cpu_seconds": round(time.process_time() - cpu, 2)}
    print(json.dumps(found))


def child(do: str, options: argparse.Namespace, step: str, folder: Path, megabytes: float) -> str:
    """Make or measure in a process of its own."""
    source = options.code if do == "one" else ROOT / "src"
    settings = {"PYTHONPATH": str(source.resolve()), "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, __file__, step, "--do", do, "--folder", str(folder)]
    command += ["--megabytes", str(megabytes), "--table", str(options.table.resolve())]
    command += ["--params", str(options.params.resolve())]
    done = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{step}: {done.stderr}")
    return done.stdout


def main() -> None:
    """Measure each step at each scale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="+", choices=STEPS)
    parser.add_argument("--scales", nargs="+", type=float, default=[1, 4, 16, 64])
    parser.add_argument("--megabytes", type=float, default=20, help="of text at 1 x")
    parser.add_argument("--repeats", type=int, default=3, help="at 1 x")
    parser.add_argument("--table", type=Path, default=ROOT / "data/dedup/documents.parquet")
    parser.add_argument("--params", type=Path, default=ROOT / "params/demo.yaml")
    parser.add_argument("--code", type=Path, default=ROOT / "src", help="`src` that is measured")
    parser.add_argument(
        "--tables", type=Path, help="keep the tables here; those that are here are read"
    )
    parser.add_argument("--output", type=Path, help="write here instead of printing")
    parser.add_argument("--do", choices=("make", "one"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.do:
        from regrow.params.schema import load

        params = load(options.params)
        if options.do == "make":
            make(options.steps[0], options.folder, options.table, options.megabytes, params)
        else:
            one(options.steps[0], options.folder, params)
        return
    if not options.table.is_file():
        raise SystemExit(f"{options.table}: no such table. hint: `make demo`, or give --table")
    results: dict[str, Any] = {"megabytes_at_1x": options.megabytes}
    with contextlib.ExitStack() as stack:
        tables = options.tables or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for scale in options.scales:
            size, folder = scale * options.megabytes, tables / f"{scale * options.megabytes:g}"
            folder.mkdir(parents=True, exist_ok=True)
            for step in options.steps:
                child("make", options, step, folder, size)
                times = options.repeats if scale == 1 else 1
                found = [
                    json.loads(child("one", options, step, folder, size)) for _ in range(times)
                ]
                median = {what: statistics.median(run[what] for run in found) for what in found[0]}
                results.setdefault(step, {})[f"{scale:g}x"] = median
                print(f"{step} {scale:g}x: {median}", file=sys.stderr, flush=True)
            if not options.tables:
                shutil.rmtree(folder)
    text = json.dumps(results, indent=2) + "\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
