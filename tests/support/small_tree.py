"""A small finished flow on disk: real tables, a real packing, records in the documented format."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import pack_files
from regrow.data.tables import parquet as tables
from regrow.engine import jobs
from regrow.engine.definition import code_digest
from regrow.engine.hashing import digest_file
from regrow.engine.present import source_digest
from regrow.engine.records import encode
from regrow.engine.state import FileTree
from regrow.engine.step import Step
from regrow.params.schema import Params
from small_tree_stages import write_stages
from sound_records import composed, output_of, write_sound

LENGTH = 16
BATCH = 2
EVERY = 4
STEPS_TRAINED = 8

MANIFEST = """\
hosts:
  manual.example:
    archive: sites/manual.tar.xz
    start: [/]
    parts:
      - {prefix: /, source: regrow, title: Start page, licence: Apache-2.0}
      - prefix: /doc/
        source: manual-1.0
        title: The manual
        licence: MIT
        origin: {kind: sdist, package: manual, version: "1.0", sha256: %s}
"""


def document_id(url: str) -> str:
    return hashlib.sha256(url.encode() + b"\0" + url.encode()).hexdigest()[:32]


def url(name: str) -> str:
    return f"https://manual.example/doc/{name}.html"


TOKENS = {
    "joins": 21,
    "indexes": 13,
    "queries": 30,
    "views": 5,
    "question1": 11,
    "question2": 19,
    "passage1": 21,
}
ORDER = ["joins", "queries", "indexes", "joins", "views", "indexes", "joins"]
KEPT = ("joins", "indexes", "queries", "views")
TEXTS = {
    "joins": "How to join two tables.\nA join takes rows from both sides where the keys agree.",
    "indexes": "An index makes lookups fast.\nIt costs time when rows are written.",
    "queries": "A query asks the database.\nThe planner decides how to answer it.",
    "views": "A view is a stored query.\nIt holds no rows of its own.",
    "short": "Too short.",
    "copy": "How to join two tables.\nA join takes rows from both sides where the keys agree!",
    "held": "A page that is kept aside.\nNobody trains on it.",
    "poor": "Buy now buy now buy now.\nClick here click here.",
}
ID = {name: document_id(url(name)) for name in (*TEXTS, "empty")}


def write_tree(root: Path) -> Path:
    (root / "sources" / "sites").mkdir(parents=True)
    (root / "sources" / "manifest.yaml").write_text(MANIFEST % ("0f" * 32))
    (root / "sources" / "sites" / "manual.tar.xz").write_bytes(b"archive")
    (root / "sources" / "teacher").mkdir()
    (root / "sources" / "teacher" / "sayings.txt").write_text("Well said.\n")
    (root / "evals").mkdir()
    (root / "evals" / "questions.jsonl").write_text("{}\n")
    (root / "Snakefile").write_text("")
    _crawl(root / "data/crawl")
    _documents(root)
    _mix(root)
    write_pack(root / "data/pack", ORDER)
    write_stages(root, params())
    write_records(root)
    return root


def _fetch(name: str, outcome: str = "fetched") -> dict[str, Any]:
    return {
        "url": url(name),
        "host": "manual.example",
        "status": 200 if outcome == "fetched" else None,
        "mime": "text/html",
        "bytes": 100,
        "depth": 1,
        "outcome": outcome,
        "detail": None,
    }


def _crawl(folder: Path) -> None:
    rows = [_fetch(name) for name in (*TEXTS, "empty")] + [_fetch("private", "robots")]
    tables.write(pl.DataFrame(rows), folder / "fetches.parquet")
    (folder / "manual.example.warc.gz").write_bytes(gzip.compress(b"", mtime=0))


def _frame(names: list[str], *extra: tuple[str, Any]) -> pl.DataFrame:
    rows = [
        {
            "id": ID[name],
            "url": url(name),
            "host": "manual.example",
            "source": "manual-1.0",
            "licence": "MIT",
            "mime": "text/html",
            "charset": "utf-8",
            "title": f"About {name}",
            "text": TEXTS[name],
            **dict(extra),
        }
        for name in names
    ]
    return pl.DataFrame(rows).sort("id")


def _drop(folder: Path, step: str, name: str, reason: str, *values: Any) -> None:
    value, threshold, detail = (*values, None, None, None)[:3]
    row = {
        "id": ID[name],
        "url": url(name),
        "step": step,
        "reason": reason,
        "value": value,
        "threshold": threshold,
        "detail": detail,
    }
    tables.write(tables.drops([row]), folder / "drops.parquet")


def _documents(root: Path) -> None:
    data = root / "data"
    names = sorted(TEXTS)
    language = (("language", "en"), ("language_score", 0.9))
    tables.write(_frame(names), data / "text/documents.parquet")
    _drop(data / "text", "text", "empty", "empty", 0.0, 1.0)
    names.remove("short")
    tables.write(_frame(names, *language), data / "filter/documents.parquet")
    _drop(data / "filter", "filter", "short", "length.words", 2.0, 50.0)
    names.remove("copy")
    tables.write(_frame(names, *language), data / "dedup/documents.parquet")
    _drop(data / "dedup", "dedup", "copy", "near", 0.93, 0.8, ID["joins"])
    names.remove("held")
    domain = (*language, ("domain", "manuals"))
    tables.write(_frame(names, *domain), data / "decontaminate/train.parquet")
    tables.write(_frame(["held"], *domain), data / "decontaminate/heldout.parquet")
    tables.write(tables.drops([]), data / "decontaminate/drops.parquet")


def _mix(root: Path) -> None:
    scores = [
        {"id": ID[name], "topic": "databases", "topic_score": 0.8, "quality": 0.7}
        for name in (*KEPT, "poor")
    ]
    tables.write(pl.DataFrame(scores).sort("id"), root / "data/classify/scores.parquet")
    repeats = {"joins": 3, "indexes": 2, "queries": 1, "views": 1, "poor": 0}
    mix = [
        {
            "id": ID[name],
            "topic": "databases",
            "quality": 0.7,
            "percentile": 0.5,
            "bucket": 1,
            "rate": float(n),
            "repeats": n,
        }
        for name, n in repeats.items()
    ]
    tables.write(pl.DataFrame(mix).sort("id"), root / "data/mix/mix.parquet")
    _drop(root / "data/mix", "mix", "poor", "low_quality", 0.1, 0.4)
    (root / "data/tokenizer").mkdir(parents=True)
    (root / "data/tokenizer/tokenizer.json").write_text("{}\n")


def write_pack(folder: Path, order: list[str], length: int = LENGTH) -> None:
    """A stream of instances of uneven length, cut into sequences of `length`."""
    rows, start = [], 0
    for number, name in enumerate(order):
        rows.append((ID.get(name, name), order[:number].count(name), start, start + TOKENS[name]))
        start += TOKENS[name]
    pack_files.write_pack(folder, np.arange(start), length, rows)


COUNTS: dict[str, Any] = {
    "crawl": {
        "fetches": 10,
        "pages": 9,
        "outcomes": {"fetched": 9, "robots": 1, "robots_txt": 1},
        "foreign": 0,
    },
    "text": {"in": 9, "kept": 8, "dropped": {"empty": 1}},
    "filter": {"in": 8, "kept": 7, "dropped": {"length.words": 1}},
    "dedup": {"in": 7, "kept": 6, "dropped": {"near": 1}},
    "decontaminate": {"in": 6, "kept": 5, "dropped": {"held_out": 1}},
    "mix": {"in": 5, "kept": 4, "dropped": {"low_quality": 1}},
    "soup": {"step": 4, "kept": "mean", "losses": {"a": 2.0, "b": 2.0, "mean": 1.5}},
    "rlvr": {"rollouts": 8, "logprobs_compared": 24, "max_abs_logprob_difference": 0.0},
}


def params() -> Params:
    short = {"batch_sequences": BATCH, "micro_batch_sequences": 1}
    rl = {"prompts": 2, "group": 2, "batch_sequences": 4, "micro_batch_sequences": 1}
    raw = {
        "release": {"name": "regrow-small", "description": "Small.", "licence": "Apache-2.0"},
        "pretrain": short | {"steps": STEPS_TRAINED, "checkpoint_every": EVERY},
        "pack": {"sequence_length": LENGTH},
        "midtrain": short | {"steps": 4, "checkpoint_every": 2},
        "anneal": short | {"steps": 2, "checkpoint_every": 2},
        "longcontext": short | {"steps": 2, "checkpoint_every": 2},
        "sft": short | {"steps": 4, "checkpoint_every": 2},
        "sft_instruct": short | {"steps": 2, "checkpoint_every": 2},
        "dpo": short | {"steps": 2, "checkpoint_every": 2},
        "rlvr": rl | {"steps": 4, "checkpoint_every": 2},
        "rlzero": rl | {"steps": 2, "checkpoint_every": 2, "control_steps": 2},
    }
    return Params.model_validate(raw)


def write_records(root: Path) -> None:
    """Records of every job of the table, chained by the hashes of what lies on disk."""
    (root / "records").mkdir(exist_ok=True)
    values = params()
    dumped = values.model_dump(mode="json")
    made: dict[str, str] = {}
    flow = jobs.flow().under(dumped)
    for name, job in jobs.expand(flow, flow.instances(values)).items():
        if job.step.group == "main":
            made[name] = record(root, job, made, dumped, COUNTS.get(job.step.name))["output"][
                "sha256"
            ]


def record(
    root: Path, job: jobs.Job, made: dict[str, str], dumped: dict[str, Any], counts: Any
) -> dict[str, Any]:
    """Write the record of a job whose output lies on disk; `made`: digests of the jobs before it."""
    step = job.step
    inputs: dict[str, Any] = {}
    hashes: dict[str, str] = {}
    for item in job.inputs:
        inputs[item.name] = {"kind": item.kind, "path": item.path}
        if item.kind == "source":
            hashes[item.name] = source_digest(FileTree(root, item.path), item.path)
            continue
        inputs[item.name]["record"] = f"records/{item.job}.json"
        before = root / f"records/{item.job}.json"
        hashes[item.name] = digest_file(before).sha256 if item.kind == "record" else made[item.job]
    parts = {
        "code": {
            "function": step.function,
            "digest": code_digest(modules := _modules(step), {}),
            "modules": modules,
            "native": {},
        },
        "params": {section: dumped[section] for section in step.params},
        "packages": {"polars": "2.1.0"},
        "numerics": step.numerics,
        "instance": job.instance,
        "inputs": dict(sorted(hashes.items())),
    }
    if options := step.options_of(job.instance):
        parts["options"] = options
    found = composed(job.name, parts, inputs, output_of(root, job.data), counts)
    (root / job.record).write_bytes(encode(found))
    return found


def _modules(step: Step) -> dict[str, Any]:
    digest = hashlib.sha256(step.name.encode()).hexdigest()
    return {step.function.split(":")[0]: {"digest": digest, "definitions": {}}}


def republish(root: Path, job: str) -> None:
    """Write into a job's record what its files hold now, as if it had been made so."""
    path = root / f"records/{job}.json"
    record = json.loads(path.read_text())
    record["output"]["files"] = output_of(root, record["output"]["path"])["files"]
    write_sound(path, record)
