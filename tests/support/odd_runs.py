"""Runs that are not the demo: grown by the real functions of the table, with records in the documented form."""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

import small_tree
import warc_files
from regrow.engine import jobs
from regrow.params.schema import check
from regrow.release.records import Artifact, artifact

OWN = "own.example"
ELSEWHERE = "elsewhere.example"
"""a host whose pages are in the archive, and which the manifest does not name"""

PARAMS: dict[str, Any] = {
    "crawl": {"hosts": [OWN]},
    "filter": {
        "min_characters": 1, "min_line_words": 1, "max_uppercase_line": 1.0,
        "max_duplicate_lines": 1.0, "max_duplicate_paragraphs": 1.0,
        "max_duplicate_line_characters": 1.0, "max_duplicate_paragraph_characters": 1.0,
        "max_duplicate_ngram": {}, "max_top_ngram": {},
    },
    "mix": {"tokens": 4000, "cutoff": 0.0, "max_repeats": 1.0},
    "tasks": {"train": 10, "dev": 2, "test": 2},
    "tokenizer": {"vocabulary": 300, "sample_bytes": 20_000, "task_share": 0.1},
    "pack": {"sequence_length": 32},
    "model": {"hidden": 16, "layers": 4, "heads": 2, "kv_heads": 2, "ffn": 32, "sliding_window": 16, "context": 32},
    "pretrain": {"steps": 2, "checkpoint_every": 2, "batch_sequences": 2, "micro_batch_sequences": 1},
}  # fmt: skip
"""a recipe without a `release` section: the publisher states nothing"""


def _pages() -> dict[str, bytes]:
    from pydoc_data.topics import topics

    texts = [text for _, text in sorted(topics.items()) if len(text) > 2_000][:14]
    found = {f"/page{n}": warc_files.html(text[:4_000]) for n, text in enumerate(texts)}
    return found


def write_sources(root: Path) -> None:
    """One archive of another crawler; a manifest of its host, and of one that this run does not read."""
    records = []
    for n, (path, body) in enumerate(sorted(_pages().items())):
        record = warc_files.response(path, body)
        host = ELSEWHERE if n % 3 == 2 else OWN
        records.append(record.replace(b"http://a.example/", f"http://{host}/".encode()))
    archive = root / "sources/foreign/own.warc.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(warc_files.members(*records))
    part = {"prefix": "/", "source": "own-notes", "title": "Own notes", "licence": "CC0-1.0"}
    other = {"prefix": "/", "source": "shakespeare", "title": "Shakespeare", "licence": "CC-BY-2.5"}
    hosts = {
        OWN: {"foreign": ["foreign/own.warc.gz"], "parts": [part]},
        "shakespeare.example": {"foreign": ["foreign/plays.warc.gz"], "parts": [other]},
    }
    (root / "sources/manifest.yaml").write_text(yaml.safe_dump({"hosts": hosts}))
    (root / "sources/teacher").mkdir()
    (root / "sources/teacher/none.txt").write_text("nothing\n")
    (root / "evals").mkdir()
    (root / "evals/questions.jsonl").write_text(
        '{"id": "1", "text": "What is asked of nobody here today?"}\n'
    )
    (root / "Snakefile").write_text("")


NAMED = ("notes", "dump")
"""sources of a recipe that names its own, and has no crawl"""


def write_named(root: Path) -> None:
    """Files of two sources: notes, one of them empty, and rows, of which one comes twice and one is broken."""
    from pydoc_data.topics import topics

    texts = [text[:4_000] for _, text in sorted(topics.items()) if len(text) > 2_000][:15]
    for n, text in enumerate(texts[:6]):
        path = root / f"corpus/notes/{'ab'[n % 2]}/note{n}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note {n}\n\n{text}")
    (root / "corpus/notes/a/empty.md").write_text("\n")
    rows: list[dict[str, str]] = [
        {"id": f"row{n}", "text": text} for n, text in enumerate(texts[6:])
    ]
    for row in rows[::2]:
        row |= {"url": f"https://manual.example/{row['id']}", "licence": "PSF-2.0"}
    lines = [json.dumps(row) + "\n" for row in [*rows, rows[2]]]
    (root / "corpus/dump").mkdir()
    for n in range(3):
        broken = '{"id": \n' if n == 1 else ""
        (root / f"corpus/dump/part{n}.jsonl").write_text("".join(lines[n::3]) + broken)


def named(shards: int) -> dict[str, Any]:
    """The params of a recipe that names `NAMED`, each read in so many parts."""
    notes = {"files": "corpus/notes/**/*.md", "licence": "CC0-1.0", "origin": "our wiki"}
    dump = {
        "files": "corpus/dump",
        "kind": "jsonl",
        "licence": "unknown",
        "origin": "https://dumps.example/",
    }
    entries = {"notes": notes | {"shards": shards}, "dump": dump | {"shards": shards}}
    rest = {name: value for name, value in PARAMS.items() if name != "crawl"}
    return rest | {"sources": [{name: entries[name]} for name in NAMED], "stages": ["pretrain"]}


def grow_named(root: Path, shards: int = 2, skip: Collection[str] = ("evaluate",)) -> Path:
    """The same from the recipe's own sources; the manifest that lies there is nobody's."""
    write_sources(root)
    write_named(root)
    return _grow(root, named(shards), skip)


def grow_foreign(root: Path, skip: Collection[str] = ("evaluate",)) -> Path:
    """Everything up to the release of a pretrained checkpoint, step by step by the steps' own functions.

    Steps named in `skip` leave an empty folder: what they measure is in no sentence about data.
    """
    write_sources(root)
    return _grow(root, PARAMS, skip)


def _grow(root: Path, raw: dict[str, Any], skip: Collection[str]) -> Path:
    params = check(raw, "odd runs")
    dumped = params.model_dump(mode="json")
    flow = jobs.flow().under(dumped)
    every = jobs.expand(flow, flow.instances(params))
    made: dict[str, str] = {}
    (root / "records").mkdir()
    for name in _upstream(every, "release.pretrain-000002"):
        job = every[name]
        counts = {} if job.step.name in skip else _run(root, job, params)
        if job.step.name in skip:
            (root / job.data).mkdir(parents=True)
        record = small_tree.record(root, job, made, dumped, counts)
        made[name] = record["output"]["sha256"]
    return root


def _upstream(every: dict[str, Any], last: str) -> list[str]:
    needed, queue = {last}, [last]
    while queue:
        for name in every[queue.pop()].upstream:
            if name not in needed:
                needed.add(name)
                queue.append(name)
    return [name for name in every if name in needed]


def _run(root: Path, job: Any, params: Any) -> dict[str, Any]:
    module, _, function = job.step.function.partition(":")
    inputs = {item.name: root / item.path for item in job.inputs}
    more: dict[str, Any] = dict(job.step.options_of(job.instance) or {})
    if job.instance is not None:
        more["instance"] = job.instance
    if job.step.resumable:
        more["scratch"] = root / "scratch" / job.name
        more["scratch"].mkdir(parents=True)
    run = getattr(importlib.import_module(module), function)
    counts: dict[str, Any] = run(inputs, params, root / job.data, **more)
    return counts


def artifacts(root: Path) -> dict[str, Artifact]:
    """The records of a tree by job."""
    found = [artifact(json.loads(p.read_text())) for p in sorted((root / "records").glob("*.json"))]
    return {one.step: one for one in found}
