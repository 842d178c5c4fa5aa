"""`regrow audit`: everything that went into an artifact, down to the source files, as one mapping."""

from __future__ import annotations

from typing import Any

from regrow.lineage.ledger import Ledger, Record
from regrow.lineage.naming import Artifact
from regrow.lineage.sources import Source, manifest


def audit(ledger: Ledger, artifact: Artifact) -> dict[str, Any]:
    """The chain of `artifact` as JSON-able data.

    `steps` is in flow order (sources first); `documents` adds up what the steps kept and
    dropped; `sources` are the source files with licence and origin; `problems` lists every
    place where a record does not fit the record that it names as its input.
    """
    chain = ledger.ancestry(artifact.record)
    sources = manifest(ledger.root)
    return {
        "artifact": {
            "name": artifact.record.name,
            "path": artifact.path,
            "sha256": artifact.sha256,
            "key": artifact.record.key,
            "size": artifact.size,
            "same_bytes": list(artifact.also),
        },
        "steps": [_step(ledger, record) for record in chain],
        "documents": _documents(chain),
        "sources": [source.as_json() for source in sources],
        "licences": licences(sources),
        "problems": [text for record in chain for text in problems(ledger, record)],
    }


def _step(ledger: Ledger, record: Record) -> dict[str, Any]:
    parts = record.parts
    code = dict(parts.get("code") or {})
    hashes = parts["inputs"]
    return {
        "name": record.name,
        "step": record.step,
        "instance": record.instance,
        "record": record.file,
        "key": record.key,
        "output": record.raw["output"],
        "inputs": [
            {
                "name": name,
                "kind": entry.get("kind"),
                "path": entry.get("path"),
                "record": entry.get("record"),
                "made_by": made.name if (made := ledger.by_file.get(entry.get("record", ""))) else None,
                "sha256": hashes.get(name),
            }
            for name, entry in sorted(record.inputs.items())
        ],
        "params": parts.get("params") or {},
        "code": code,
        "packages": parts.get("packages") or {},
        "numerics": parts.get("numerics"),
        "counts": record.counts,
    }


def problems(ledger: Ledger, record: Record) -> list[str]:
    """Where `record` and the records of its inputs disagree, one sentence each."""
    found = []
    for name, entry in sorted(record.inputs.items()):
        if entry.get("kind") == "source" or not entry.get("record"):
            continue
        made = ledger.by_file.get(entry["record"])
        if made is None:
            found.append(f"{record.name}: the record of its input {name} ({entry['record']}) is missing.")
        elif entry["kind"] == "data" and record.parts["inputs"].get(name) != made.sha256:
            found.append(
                f"{record.name} was made from another {made.name} "
                f"({str(record.parts['inputs'].get(name))[:12]}) than the one recorded now "
                f"({made.sha256[:12]}): run `snakemake` to bring it up to date."
            )
    return found


def documents(record: Record) -> dict[str, Any] | None:
    """What a step counted of documents: in, kept, dropped by reason; None if it did not."""
    counts = record.counts
    if "kept" not in counts and "dropped" not in counts:
        return None
    dropped = counts.get("dropped") or {}
    if isinstance(dropped, int):
        dropped = {"(all reasons)": dropped}
    return {
        "in": counts.get("in"),
        "kept": counts.get("kept"),
        "dropped": dict(sorted(dropped.items(), key=lambda item: (-item[1], item[0]))),
    }


def _documents(chain: list[Record]) -> list[dict[str, Any]]:
    rows = []
    for record in chain:
        counted = documents(record)
        if counted is not None:
            rows.append({"step": record.name, **counted})
    return rows


def licences(sources: list[Source]) -> list[dict[str, Any]]:
    """Sources by licence: how many files and bytes."""
    table: dict[str, dict[str, Any]] = {}
    for source in sources:
        row = table.setdefault(
            source.licence, {"licence": source.licence, "sources": 0, "files": 0, "bytes": 0}
        )
        row["sources"] += 1
        row["files"] += source.files
        row["bytes"] += source.size
    return sorted(table.values(), key=lambda row: (-row["bytes"], row["licence"]))
