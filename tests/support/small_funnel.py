"""Composed records and tables of the data steps, from a list of documents and what becomes of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from default_flow import BY_NAME
from regrow.data.tables import parquet as tables
from regrow.engine.definition import code_digest
from regrow.engine.records import encode
from regrow.evidence.ledger import Ledger
from sound_records import composed, output_of

CHAIN = ("text", "filter", "dedup", "decontaminate", "classify", "mix", "pack")
KEPT = {"decontaminate": "train", "classify": "scores", "mix": "mix", "pack": "index"}
DROPPING = ("text", "filter", "dedup", "decontaminate", "mix")


@dataclass(frozen=True)
class Doc:
    """A document and its fate: `lost` is the step that drops it, for `reason`."""

    name: str
    source: str = "books"
    lost: str = ""
    reason: str = ""
    detail: str | None = None
    text: str = "ten bytes."
    licence: str = "MIT"
    language: str = "en"
    topic: str = "all"
    repeats: int = 1
    url: str | None = ""
    """"": one on the web"""

    @property
    def id(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:32]

    @property
    def row(self) -> dict[str, Any]:
        url = f"https://{self.source}.example/{self.name}" if self.url == "" else self.url
        return {"id": self.id, "url": url, "source": self.source, "licence": self.licence, "text": self.text,
                "language": self.language, "topic": self.topic, "quality": 0.5, "repeats": self.repeats}  # fmt: skip


def many(number: int, start: str, **fate: Any) -> list[Doc]:
    """So many documents of one fate."""
    return [Doc(f"{start}{i}", **fate) for i in range(number)]


_COLUMNS = {
    "text": ("id", "url", "source", "licence", "text"),
    "filter": ("id", "url", "source", "licence", "text", "language"),
    "dedup": ("id", "url", "source", "licence", "text", "language"),
    "decontaminate": ("id", "url", "source", "licence", "text", "language"),
    "classify": ("id", "topic", "quality"),
    "mix": ("id", "topic", "quality", "repeats"),
}


def write(
    root: Path,
    documents: list[Doc],
    *,
    counts: dict[str, dict[str, Any]] | None = None,
    params: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
    trained: dict[str, int] | None = None,
    reads: dict[str, list[Doc]] | None = None,
) -> Ledger:
    """Write a run of the data steps; returns its records.

    counts: step -> counts that its record says otherwise; params: section -> settings; without: steps whose tables are
    left out; trained: stage -> tokens that it read of the pack; reads: source -> what the step that reads it dropped.
    """
    (root / "records").mkdir(parents=True, exist_ok=True)
    (root / "Snakefile").write_text("")
    alive = documents
    before: dict[str, Any] | None = None
    pack: dict[str, Any] = {}
    for step in CHAIN:
        folder = root / "data" / step
        lost = [doc for doc in alive if doc.lost == step]
        kept = [doc for doc in alive if doc.lost != step]
        said: dict[str, Any] = {
            "in": len(alive),
            "kept": len(kept),
            "dropped": dict(Counter(d.reason for d in lost)),
        }
        if step == "pack":
            said = _pack(folder, kept)
        else:
            rows = [doc.row for doc in kept] + (
                [doc.row | {"repeats": 0} for doc in lost] if step == "mix" else []
            )
            frame = pl.DataFrame(rows, schema=_schema()).select(_COLUMNS[step]).sort("id")
            tables.write(frame, folder / f"{KEPT.get(step, 'documents')}.parquet")
        if step in DROPPING:
            drops = [_drop(doc, step) for doc in lost]
            tables.write(tables.drops(drops), folder / "drops.parquet")
        if step == "classify":
            said |= {
                "labelled": {"quality": 5, "topic": 5},
                "topics": dict(Counter(d.topic for d in kept)),
            }
        before = _record(
            root, step, step, said | (counts or {}).get(step, {}), before, params or {}
        )
        pack = before
        alive = kept
    for source, dropped in (reads or {}).items():
        tables.write(
            tables.drops([_drop(doc, "text") for doc in dropped]),
            root / f"data/read_{source}/000of001/drops.parquet",
        )
        _record(
            root,
            f"read_{source}.000of001",
            f"read_{source}",
            {},
            None,
            {},
            function="regrow.data.sources.kinds.jsonl:run",
        )
    base: dict[str, Any] | None = None
    for stage, tokens in (trained or {}).items():
        (root / f"data/{stage}/000010").mkdir(parents=True)
        (root / f"data/{stage}/000010/model.safetensors").write_bytes(stage.encode())
        base = _record(root, f"{stage}.000010", stage, {"tokens": tokens}, pack, params or {}, base)
    for step in without:
        for file in (root / "data" / step).iterdir():
            file.unlink()
    return Ledger.load(root)


def _drop(doc: Doc, step: str) -> dict[str, Any]:
    return {
        "id": doc.id,
        "url": doc.row["url"],
        "step": step,
        "reason": doc.reason,
        "detail": doc.detail,
    }


def _schema() -> dict[str, Any]:
    names = dict.fromkeys(
        ("id", "url", "source", "licence", "text", "language", "topic"), pl.String
    )
    return names | {"quality": pl.Float64, "repeats": pl.Int32}


def _pack(folder: Path, kept: list[Doc]) -> dict[str, Any]:
    """Ten tokens a copy."""
    rows, start = [], 0
    for doc in sorted(kept, key=lambda doc: doc.id):
        for repeat in range(doc.repeats):
            rows.append(
                {
                    "instance": len(rows),
                    "id": doc.id,
                    "repeat": repeat,
                    "start": start,
                    "end": start + 10,
                }
            )
            start += 10
    schema = {
        "instance": pl.Int64,
        "id": pl.String,
        "repeat": pl.Int32,
        "start": pl.Int64,
        "end": pl.Int64,
    }
    tables.write(pl.DataFrame(rows, schema=schema), folder / "index.parquet")
    return {"documents": len(kept), "instances": len(rows), "tokens": start}


def _record(
    root: Path, name: str, step: str, counts: dict[str, Any], before: dict[str, Any] | None, params: dict[str, Any],
    base: dict[str, Any] | None = None,
    function: str = "",
) -> dict[str, Any]:  # fmt: skip
    function = function or BY_NAME[step if step in BY_NAME else "pretrain"].function
    inputs, hashes = {}, {}
    for word, record in (("data", before), ("base", base)):
        if record is not None:
            job = record["step"] + (f".{record['instance']}" if record["instance"] else "")
            inputs[word] = {
                "kind": "data",
                "path": record["output"]["path"],
                "record": f"records/{job}.json",
            }
            hashes[word] = record["output"]["sha256"]
    path, _, instance = name.partition(".")
    own = {step: params[step]} if step in params else {}
    if instance.isdecimal():
        own = {step: {"batch_sequences": 1, "steps": 10}}
    modules = {function.split(":")[0]: {"digest": "0" * 64, "definitions": {}}}
    parts = {
        "code": {"function": function, "digest": code_digest(modules, {}), "modules": modules, "native": {}},
        "params": own, "packages": {}, "numerics": "exact", "instance": instance or None, "inputs": hashes,
    }  # fmt: skip
    folder = f"data/{path}" + (f"/{instance}" if instance else "")
    found = composed(name, parts, inputs, output_of(root, folder), counts)
    (root / f"records/{name}.json").write_bytes(encode(found))
    return found
