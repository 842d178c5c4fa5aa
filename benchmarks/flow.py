"""Hashing and storing beside `sha256sum` and `dvc add`, and the time of a run that has nothing to do.

    python benchmarks/flow.py [--large 2000] [--small 10000] [--turns 3] [--no-op FOLDER]

Contestants take turns on the same files; medians of wall seconds, CPU seconds in brackets of the
JSON. `store` reads each file once (MD5 and SHA-256) and puts it in a DVC cache: what a job does with
its output. FOLDER is a finished checkout for the no-op row (default: this repository).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from regrow.engine.hashing import digest_file
from regrow.engine.store import Store

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def cpu() -> float:
    own, child = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime


def turns(contestants: dict[str, Callable[[], None]], count: int) -> dict[str, dict[str, float]]:
    """Let all run in turn, `count` times; medians."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(count):
        for name, work in contestants.items():
            wall, used = time.perf_counter(), cpu()
            work()
            seen[name].append((time.perf_counter() - wall, cpu() - used))
    return {
        name: {
            "seconds": round(statistics.median(w for w, _ in rows), 3),
            "cpu_seconds": round(statistics.median(c for _, c in rows), 3),
        }
        for name, rows in seen.items()
    }


def quiet(*command: str | Path, cwd: Path) -> None:
    subprocess.run([str(c) for c in command], cwd=cwd, check=True, capture_output=True)


def hashing(folder: Path, files: list[Path], count: int) -> dict[str, dict[str, float]]:
    """Hash, store and `dvc add` the files of one folder."""
    top = folder.parent

    def store() -> None:
        shutil.rmtree(top / ".dvc" / "cache", ignore_errors=True)
        cache = Store(top)
        for path in files:
            cache.insert_file(path)

    def dvc_add() -> None:
        shutil.rmtree(top / ".dvc" / "cache", ignore_errors=True)
        (top / f"{folder.name}.dvc").unlink(missing_ok=True)
        for path in files:  # a new inode, so that DVC's state does not answer from memory
            os.utime(path)
        quiet(BIN / "dvc", "add", "-q", folder.name, cwd=top)

    def sha256sum() -> None:
        names = "\0".join(str(path) for path in files).encode()
        subprocess.run(
            ["xargs", "-0", "sha256sum"], input=names, check=True, stdout=subprocess.DEVNULL
        )

    def ours() -> None:
        for path in files:
            digest_file(path)

    found = turns(
        {"sha256sum": sha256sum, "regrow hash": ours, "regrow store": store, "dvc add": dvc_add},
        count,
    )
    base = found["sha256sum"]["seconds"]
    return {name: {**row, "ratio": round(row["seconds"] / base, 2)} for name, row in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", type=int, default=2000, help="MB of the large file")
    parser.add_argument("--small", type=int, default=10_000, help="number of 1 KB files")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--no-op", type=Path, default=ROOT, help="a finished checkout")
    args = parser.parse_args()
    results: dict[str, object] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(dir=ROOT / "benchmarks" / "out") as name:
        top = Path(name)
        quiet("git", "init", "-q", cwd=top)
        quiet(BIN / "dvc", "init", "-q", cwd=top)
        quiet(BIN / "dvc", "config", "core.analytics", "false", cwd=top)
        small, large = top / "small", top / "large"
        small.mkdir()
        large.mkdir()
        for i in range(args.small):
            (small / f"{i:05d}").write_bytes(os.urandom(1000))
        with (large / "file").open("wb") as file:
            for _ in range(args.large):
                file.write(os.urandom(1_000_000))
        results[f"{args.small} x 1 KB"] = hashing(small, sorted(small.iterdir()), args.turns)
        results[f"1 x {args.large} MB"] = hashing(large, [large / "file"], args.turns)
    snakemake = BIN / "snakemake"
    results["nothing to do"] = turns(
        {
            "snakemake --version": lambda: quiet(snakemake, "--version", cwd=args.no_op),
            "snakemake -n": lambda: quiet(snakemake, "-n", cwd=args.no_op),
            "snakemake": lambda: quiet(snakemake, "--cores", "1", cwd=args.no_op),
            "dvc status": lambda: quiet(BIN / "dvc", "status", cwd=args.no_op),
        },
        args.turns,
    )
    text = json.dumps(results, indent=2)
    (ROOT / "benchmarks" / "out" / "flow.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
