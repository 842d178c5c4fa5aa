"""`regrow trace` and `regrow batch --step` at a thousand million documents, as a person runs them.

    python benchmarks/trace_scale.py [--documents 1000000000] [--turns 40] [--sort 100000000] [--folder DIR]

Real: the two large lookups, document -> instance and token -> instance, with all their entries (16 GB each at
10^9), written by `regrow.evidence.lookup.grow`; a `start` of the process for every question; the records, the order
of training, and everything that the two commands do. --sort also sorts that many entries that come in random
order, on disk, as the making of a lookup does. Every answer is compared with what the generator says.

Simulated, since the documents of 10^9 do not fit here: tables are stand-ins that no question reads (a lookup
never opens its table). The lookups of the other tables (text, filter, dedup, … midtrain_data) have the full shape and size,
but only the blocks that the questions touch are written (sparse files, no two share a page); so have the rows.
`cold`: the pages of all lookups are dropped before each question (Python's own files stay in memory; what a
host caches below a virtual disk cannot be dropped).
Removes what it wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.tables import parquet as tables
from regrow.engine import state
from regrow.engine.hashing import Digest
from regrow.evidence.lookup import grow, rows, sort
from regrow.evidence.lookup.feistel import Positions
from regrow.evidence.lookup.store import FOLDER, code
from regrow.evidence.lookup.tree import BLOCK, FULL, HEAD, BTree

LENGTH, BATCH, TOKENS = 8192, 512, 700
"""tokens of a sequence, sequences of a step (4.2 million tokens), tokens of a document"""
SMALL = 32
"""sequences of a step of a second stage over the same pack"""
STRIDE = 618_033_989
"""a document's place in the stream is this times its rank: coprime to a power of ten"""
CHUNK = 1 << 22
CHECKPOINTS = 12
KEPT = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "midtrain_data")
FILES = {
    "text": ("documents", "id"), "filter": ("documents", "id"), "dedup": ("documents", "id"),
    "decontaminate": ("train", "id"), "classify": ("scores", "id"), "mix": ("mix", "id"),
    "midtrain_data": ("documents", "parent"),
}  # fmt: skip
NOT_IN = [
    (step, "drops", "id")
    for step in ("text", "filter", "dedup", "decontaminate", "mix", "midtrain_data")
]
NOT_IN += [
    ("dedup", "drops", "detail"),
    ("decontaminate", "heldout", "id"),
    ("midtrain_data", "documents", "id"),
]
U = np.uint64


def mixed(x: Any) -> Any:
    x = (x ^ (x >> U(30))) * U(0xBF58476D1CE4E5B9)
    return x ^ (x >> U(27))


class World:
    """Documents by rank of their id: the id, the place in the stream, all computed."""

    def __init__(self, n: int) -> None:
        self.n, self.gap = n, (1 << 64) // n

    def keys(self, ranks: Any) -> Any:
        """Ascending, and spread as hashes are."""
        with np.errstate(over="ignore"):
            return ranks * U(self.gap) + mixed(ranks) % U(self.gap)

    def id(self, rank: int) -> str:
        key = int(self.keys(np.array([rank], U))[0])
        with np.errstate(over="ignore"):
            rest = int(mixed(np.array([rank + (1 << 40)], U))[0])
        return f"{key:016x}{rest:016x}"

    def place(self, ranks: Any) -> Any:
        return ranks * U(STRIDE % self.n) % U(self.n)

    def rank(self, place: int) -> int:
        return place * pow(STRIDE, -1, self.n) % self.n

    def start(self, places: Any) -> Any:
        """Documents have 500 to 900 tokens."""
        with np.errstate(over="ignore"):
            return places * U(TOKENS) + mixed(places) % U(200)

    def ends(self, place: int) -> tuple[int, int]:
        low, high = self.start(np.array([place, place + 1], U)).tolist()
        return (0 if place == 0 else low), high

    def by_id(self) -> Iterator[grow.Entries]:
        for first in range(0, self.n, CHUNK):
            ranks = np.arange(first, min(self.n, first + CHUNK), dtype=U)
            yield self.keys(ranks), self.place(ranks)

    def by_start(self) -> Iterator[grow.Entries]:
        for first in range(0, self.n, CHUNK):
            places = np.arange(first, min(self.n, first + CHUNK), dtype=U)
            starts = self.start(places)
            starts[places == 0] = 0
            yield starts, places


def sparse(
    source: Path, target: Path, keys: list[int], shift: int = 0, ranked: bool = False
) -> None:
    """A tree of the same shape with the upper levels and the leaves of some keys; `shift` moves their keys.

    `ranked`: of a table in the order of the ids, not in that of the stream.
    """
    tree = BTree(source)
    found = {n for key in keys for n in (tree._leaf(key), tree._leaf(key) + 1)}
    leaves = {leaf for leaf in found if leaf < tree._levels[0][1]}
    upper = range(tree._levels[1][0], tree._levels[-1][0] + 1) if len(tree._levels) > 1 else ()
    with source.open("rb") as old, target.open("wb") as new:
        new.truncate(source.stat().st_size)
        new.write(old.read(HEAD))
        for number in sorted({*upper, *leaves}):
            old.seek(HEAD + number * BLOCK)
            words = np.frombuffer(old.read(BLOCK), "<u8").copy()
            if number in leaves:
                words[:FULL] += U(shift)
                if ranked:
                    count = int(words[2 * FULL])
                    words[FULL : FULL + count] = np.arange(count, dtype=U) + U(number * FULL)
                words[-1] = zlib.crc32(words[:-1].data)
            new.seek(HEAD + number * BLOCK)
            new.write(words.data)


def write_rows(path: Path, world: World, numbered: dict[int, int]) -> None:
    """A file of rows in which only the blocks of some are written; `numbered`: number of a row -> its place.

    The rows beside them are never asked for: they are those of other documents.
    """
    wanted = {number // rows.PER_BLOCK for number in numbered}
    others = [json.dumps(row(world, place), separators=(",", ":")) for place in range(999)]
    blocks = -(-world.n // rows.PER_BLOCK)
    offsets = np.zeros(blocks + 1, "<u8")
    with path.open("wb") as file:
        at = 0
        sizes = np.zeros(blocks, "<u8")
        for block in sorted(wanted):
            first = block * rows.PER_BLOCK
            lines = [str(block)]
            for number in range(first, min(first + rows.PER_BLOCK, world.n)):
                place = numbered.get(number)
                lines.append(
                    others[number % len(others)]
                    if place is None
                    else json.dumps(row(world, place), separators=(",", ":"))
                )
            blob = zlib.compress("\n".join(lines).encode(), 1)
            at += file.write(blob)
            sizes[block] = len(blob)
        np.cumsum(sizes, out=offsets[1:])
        file.write(offsets.data)
        numbers = struct.pack("<QQ", world.n, blocks)
        file.write(rows._FOOT.pack(rows.MAGIC, world.n, blocks, zlib.crc32(numbers)))


def row(world: World, place: int) -> dict[str, Any]:
    """What the tables say of the document at a place of the stream, all of them in one row."""
    id = world.id(world.rank(place))
    start, end = world.ends(place)
    return {
        "id": id, "url": f"https://host{place % 9973}.example/{place}", "title": f"Page {place}",
        "host": f"host{place % 9973}.example", "source": "crawl", "licence": "CC-BY-4.0",
        "mime": "text/html", "charset": "utf-8", "language": "en", "language_score": 0.97,
        "characters": 4 * (end - start), "domain": "web", "topic": "science", "topic_score": 0.71,
        "quality": 0.62, "percentile": 0.9, "bucket": 8, "rate": 1.0, "repeats": 1,
        "component": "quality", "generator": None, "parent": id,
        "instance": place, "repeat": 0, "start": start, "end": end,
    }  # fmt: skip


def record(step: str, instance: str | None, files: list[str], **more: Any) -> dict[str, Any]:
    path = f"data/{step}" + (f"/{instance}" if instance else "")
    names = [{"path": name, "sha256": "0" * 64, "md5": "0" * 32, "size": 0} for name in files]
    output = {"path": path, "sha256": "0" * 64, "size": 0, "nfiles": len(files), "files": names}
    parts = {"inputs": {}, "params": more.get("params", {}), "options": more.get("options", {})}
    return {"step": step, "instance": instance, "key": "0" * 64, "parts": parts,
            "inputs": more.get("inputs", {}), "output": output}  # fmt: skip


def repository(root: Path, world: World, sequences: int) -> list[dict[str, Any]]:
    """Records of a flow up to midtraining, with stand-ins for its tables."""
    made = [record(step, None, [f"{FILES[step][0]}.parquet", "drops.parquet"]) for step in KEPT]
    pack = ["index.parquet", "meta.json", "tokens.bin"]
    for job, files in (("decontaminate", ["heldout.parquet"]), ("midtrain_data", pack)):
        made[KEPT.index(job)]["output"]["files"] += record(job, None, files)["output"]["files"]
    made.append(record("crawl", None, ["fetches.parquet"]))
    made.append(record("pack", None, pack))
    for stage, job, name, batch in (
        ("pretrain", "pack", "pack", BATCH),
        ("midtrain", "midtrain_data", "data", BATCH),
        ("longcontext", "pack", "data", SMALL),
    ):
        last = sequences // batch
        params = {"batch_sequences": batch, "seed": 0, "second_seed": 1}
        read = {name: {"kind": "data", "record": f"records/{job}.json", "path": f"data/{job}"}}
        for n in range(1, CHECKPOINTS + 1):
            step = f"{last * n // CHECKPOINTS:06d}"
            made.append(record(stage, step, [], inputs=read, params={stage: params}))
            evaluation = record("evaluate", f"{stage}-{step}", ["items.parquet"])
            folder = root / evaluation["output"]["path"]
            items = [
                {"probe": "p", "item": f"i{i}", "family": "f", "sample": 0, "value": 1.0}
                for i in range(2000)
            ]
            tables.write(pl.DataFrame(items), folder / "items.parquet")
            made.append(evaluation)
    (root / "records").mkdir()
    for item in made:
        name = item["step"] + (f".{item['instance']}" if item["instance"] else "")
        (root / f"records/{name}.json").write_text(json.dumps(item))
    meta = {"sequences": sequences, "sequence_length": LENGTH}
    for job in ("pack", "midtrain_data"):
        (root / "data" / job).mkdir(parents=True)
        (root / f"data/{job}/meta.json").write_text(json.dumps(meta))
        with (root / f"data/{job}/tokens.bin").open("wb") as file:
            file.truncate(2 * sequences * LENGTH)  # a hole: no question reads tokens
    return made


def stand_in(root: Path, marks: dict[str, Any], path: str) -> str:
    """A table that is never read, under a name for its lookups."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"stand-in")
    stat = file.stat()
    name = path.replace("/", "-").removesuffix(".parquet")
    marks[path] = [[stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns], name]
    return name


def remember(root: Path, made: list[dict[str, Any]]) -> None:
    """Note the stand-ins as files that hold what the records say, as the run that makes them does."""
    for item in made:
        tree = state.FileTree(root, item["output"]["path"])
        for entry in item["output"]["files"]:
            path = tree.path / entry["path"]
            if path.exists():
                stat = path.stat()
                digest = Digest(entry["sha256"], "0" * 32, stat.st_size)
                tree.remember(entry["path"], stat, digest)
        tree.save()


def asked(root: Path, arguments: list[str], cold: bool) -> tuple[float, float, float, Any]:
    """Wall and CPU seconds of a process, megabytes that it had from disk, and what it answered."""
    if cold:
        for path in (root / FOLDER / code()).iterdir():
            if path.is_file():
                handle = os.open(path, os.O_RDONLY)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)
    # As a person's shell has it: with the compiled modules that Python keeps.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [Path(sys.executable).with_name("regrow"), *arguments, "--json"],
        cwd=root, env=environment, capture_output=True, check=False,
    )  # fmt: skip
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    read = (after.ru_inblock - before.ru_inblock) * 512 / 1e6
    return wall, cpu, read, json.loads(done.stdout)


def say(what: str, measured: list[tuple[float, float, float]], more: str = "") -> None:
    wall, cpu, read = zip(*measured, strict=True)
    ordered = sorted(wall)
    p95 = ordered[-(-19 * len(ordered) // 20) - 1]
    print(
        f"{what:<44} median {1000 * statistics.median(wall):6.0f} ms  p95 {1000 * p95:6.0f} ms  "
        f"CPU {1000 * statistics.median(cpu):5.0f} ms  disk {statistics.median(read):5.2f} MB  {more}",
        flush=True,
    )


def timed(what: str, path: Path, make: Any) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    entries = make()
    size = path.stat().st_size / 1e9
    print(
        f"{what:<44} {entries:,} entries, {size:.2f} GB, {time.perf_counter() - wall:.0f} s "
        f"({time.process_time() - cpu:.0f} s of CPU)",
        flush=True,
    )


def sorting(folder: Path, n: int) -> None:
    """A tree of entries in random order: runs, merge, blocks."""
    world = World(n)

    def chunks() -> Iterator[grow.Entries]:
        for first in range(0, n, CHUNK):
            places = np.arange(first, min(n, first + CHUNK), dtype=U)
            ranks = places * U(pow(STRIDE, -1, n)) % U(n)
            yield world.keys(ranks), places

    path = folder / "sorted.tree"
    timed("made from random order (sorted on disk)", path,
          lambda: grow.grow(path, "hex", sort.ordered(chunks(), folder)))  # fmt: skip
    tree = BTree(path)
    for place in range(0, n, max(1, n // 1000)):
        rank = place * pow(STRIDE, -1, n) % n
        assert place in tree.find(world.id(rank)), "the sorted tree has lost an entry"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    print(f"{'':<44} memory of this process at most {peak:,} MB")
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--sort", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    need = 36 * args.documents + 40 * args.sort
    folder = Path(tempfile.mkdtemp(prefix="regrow-trace-scale-", dir=args.folder))
    free = shutil.disk_usage(folder).free
    try:
        if free < need:
            raise SystemExit(f"{folder}: {need / 1e9:.0f} GB are needed, {free / 1e9:.0f} are free")
        if args.sort:
            sorting(folder, args.sort)
        bench(folder, args.documents, args.turns)
    finally:
        shutil.rmtree(folder)


def bench(root: Path, n: int, turns: int) -> None:
    world = World(n)
    sequences = n * TOKENS // LENGTH
    last = sequences // BATCH
    made = repository(root, world, sequences)
    (root / FOLDER / code()).mkdir(parents=True)
    marks: dict[str, Any] = {}
    index = stand_in(root, marks, "data/pack/index.parquet")
    here = root / FOLDER / code()
    full, starts = here / f"{index}.id.tree", here / f"{index}.start.tree"
    timed("document -> instance (in order)", full, lambda: grow.grow(full, "hex", world.by_id()))
    timed("token -> instance", starts, lambda: grow.grow(starts, "number", world.by_start()))

    chance = random.Random(0)
    stages = {
        (stage, batch): Positions(sequences, 0, stage)
        for stage, batch in (("pretrain", BATCH), ("longcontext", SMALL))
    }
    drawn = [
        (stage, batch, step, [order.at((step - 1) * batch + place) for place in range(batch)])
        for (stage, batch), order in stages.items()
        for step in (chance.randrange(1, sequences // batch + 1) for _ in range(max(2, turns // 4)))
    ]
    places = {
        place
        for _, _, _, held in drawn
        for sequence in held
        for place in range(
            max(0, sequence * LENGTH // TOKENS - 2), min(n, (sequence + 1) * LENGTH // TOKENS + 2)
        )
    }
    documents = [chance.randrange(n) for _ in range(turns)]
    places |= {int(world.place(np.array([rank], U))[0]) for rank in documents}
    told = here / "told.rows"
    write_rows(told, world, {place: place for place in places})
    touched = [int(world.id(world.rank(place))[:16], 16) for place in sorted(places)]
    mine = [int(world.id(rank)[:16], 16) for rank in documents]
    shutil.copy(told, here / f"{index}.rows")
    for step in KEPT:
        file, column = FILES[step]
        name = stand_in(root, marks, f"data/{step}/{file}.parquet")
        if step == "text":  # its documents stand in another order than in the stream
            ranked = {world.rank(place): place for place in places}
            write_rows(here / f"{name}.rows", world, ranked)
        elif not (here / f"{name}.rows").exists():
            shutil.copy(told, here / f"{name}.rows")
        tree = here / f"{name}.{column}.tree"
        sparse(full, tree, touched if step == "text" else mine, ranked=step == "text")
    for step, file, column in NOT_IN:
        name = stand_in(root, marks, f"data/{step}/{file}.parquet")
        if not (here / f"{name}.rows").exists():
            shutil.copy(told, here / f"{name}.rows")
        sparse(full, here / f"{name}.{column}.tree", mine, shift=1)
    fetches = stand_in(root, marks, "data/crawl/fetches.parquet")
    grow.grow(here / f"{fetches}.url.tree", "hash", [])
    name = stand_in(root, marks, "data/midtrain_data/index.parquet")
    os.link(here / f"{index}.rows", here / f"{name}.rows")
    sparse(full, here / f"{name}.id.tree", mine)
    (here / "marks.json").write_text(json.dumps(marks))
    told.unlink()
    remember(root, made)
    os.sync()
    total = sum(path.stat().st_size for path in here.iterdir()) / 1e9
    print(
        f"{n:,} documents, {sequences:,} sequences, {last:,} steps; lookups of {total:.0f} GB in all"
    )

    asked(root, ["trace", world.id(documents[0])], False)
    for cold in (True, False):
        word = "cold" if cold else "warm"
        for rank in documents if not cold else ():
            asked(root, ["trace", world.id(rank)], cold)  # the last cold question dropped all pages
        measured = []
        for rank in documents:
            *figures, answer = asked(root, ["trace", world.id(rank)], cold)
            check(world, stages["pretrain", BATCH], rank, answer)
            measured.append(tuple(figures))
        say(f"regrow trace ID, {word}", measured, f"{len(answer['stops'])} stops, 3 stages")
        for stage, batch in stages:
            checkpoint = f"{stage}.{sequences // batch:06d}"
            measured = []
            steps = [one for one in drawn if one[0] == stage]
            for _, _, step, _ in steps if not cold else ():
                asked(root, ["batch", checkpoint, "--step", str(step)], cold)
            for _, _, step, held in steps:
                *figures, answer = asked(root, ["batch", checkpoint, "--step", str(step)], cold)
                check_step(world, held, answer)
                measured.append(tuple(figures))
            told_of = f"{len(answer['documents']):,} documents in {batch} sequences"
            say(f"regrow batch --step N, {word}", measured, told_of)
    within(root, world, documents)


def within(root: Path, world: World, documents: list[int]) -> None:
    """The questions alone, in one process that is there already."""
    os.chdir(root)
    from regrow.ask.trace.answer import trace
    from regrow.evidence.ledger import Ledger

    ledger = Ledger.load(root)
    wall = []
    for rank in documents:
        start = time.perf_counter()
        trace(ledger, world.id(rank))
        wall.append(time.perf_counter() - start)
    say("the question alone, warm, in a running process", [(one, 0.0, 0.0) for one in wall])


def check(world: World, order: Positions, rank: int, answer: dict[str, Any]) -> None:
    """The steps of pretraining, against the generator."""
    place = int(world.place(np.array([rank], U))[0])
    start, end = world.ends(place)
    limit = world.n * TOKENS // LENGTH // BATCH * BATCH
    held = range(start // LENGTH, min((end - 1) // LENGTH + 1, order.sequences))
    steps = {p // BATCH + 1 for sequence in held for p in order.positions(sequence, limit)}
    found = {entry["stage"]: entry for entry in answer["training"]}
    assert set(found["pretrain"]["steps"]) == steps, (found["pretrain"]["steps"], steps)
    assert "midtrain" in found and answer["matches"][0]["id"] == world.id(rank)
    assert [stop["step"] for stop in answer["stops"]][-1] == "midtrain_data"


def check_step(world: World, sequences: list[int], answer: dict[str, Any]) -> None:
    """The documents of a step: they tile its sequences, and are those of the generator."""
    assert [row["sequence"] for row in answer["documents"] if row["start"] == 0] == sequences
    assert answer["tokens"] == len(sequences) * LENGTH
    for piece in answer["documents"][:: len(answer["documents"]) // 50]:
        assert piece["id"] == world.id(world.rank(piece["instance"])) and piece["url"]


if __name__ == "__main__":
    main()
