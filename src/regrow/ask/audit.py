"""`regrow audit`: everything that went into an artifact, down to the source files, as one mapping."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from regrow.engine import definition
from regrow.engine.errors import FlowError
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree
from regrow.engine.witness import differences
from regrow.evidence import contributed, corpora
from regrow.evidence.ledger import Ledger
from regrow.evidence.left_over import left_over
from regrow.evidence.naming import Artifact
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.sources import crawled, licences, source_files, sources
from regrow.release.composition import UNKNOWN


def audit(ledger: Ledger, artifact: Artifact) -> dict[str, Any]:
    """The chain of `artifact` as JSON-able data.

    `steps` is in flow order (sources first); `documents` adds up what the steps kept and
    dropped, the parts of a source as one; `sources` are those with licence and origin: the manifest's where there was
    a crawl, then the recipe's, then a fork's; `unlicensed` counts documents of unknown licence at the step `text`;
    `own` is what a fork brought, row by row; `problems` lists every place where a record contradicts itself,
    git HEAD (another result of the same key), or the record that it names as its input; `uncommitted` are the
    records that git HEAD has otherwise without such a contradiction: no witness vouches for them; `left_over`
    has a sentence for each record that the params do not ask for, of the chain or passed over for its end.
    """
    chain = ledger.ancestry(artifact.record)
    outputs = Outputs(ledger)
    contradicted, uncommitted = differences(
        ledger.root, {record.file: ledger.content(record) for record in chain}
    )
    doubted = {r.file for r in chain if r.fault or r.file in contradicted}
    believed = [record for record in chain if record.file not in doubted]
    manifest = crawled(chain)
    found = [
        *(sources(ledger.root) if manifest else []),
        *corpora.sources(believed),
        *contributed.sources(outputs, believed),
    ]
    return {
        "artifact": {
            "name": artifact.record.name,
            "path": artifact.path,
            "sha256": artifact.sha256,
            "key": artifact.record.key,
            "size": artifact.size,
            "same_bytes": list(artifact.also),
        },
        "steps": [_step(ledger, record, record.file not in doubted) for record in chain],
        "documents": _documents(believed),
        "sources": [asdict(source) for source in found],
        "source_files": [
            *(source_files(ledger.root) if manifest else []),
            *corpora.files(ledger.root, believed),
            *contributed.files(ledger.root, believed),
        ],
        "licences": licences(found),
        "unlicensed": _unlicensed(believed),
        "own": contributed.brought(outputs, believed),
        "uncommitted": uncommitted,
        "left_over": left_over(ledger, [*chain, *artifact.passed_over]),
        "problems": [
            *(f"{text}." for _, text in sorted(contradicted.items())),
            *(text for record in chain for text in problems(ledger, record)),
        ],
    }


def _step(ledger: Ledger, record: Record, believed: bool) -> dict[str, Any]:
    """A step of the chain; of a record that is not believed nothing is repeated but its names."""
    parts = record.parts if believed else {"inputs": {}}
    inputs = record.inputs if believed else {}
    code = dict(parts.get("code") or {})
    hashes = parts["inputs"]
    return {
        "name": record.name,
        "step": record.step,
        "instance": record.instance,
        "record": record.file,
        "key": record.key,
        "definition": definition.said(record.raw),
        "output": record.raw["output"],
        "inputs": [
            {
                "name": name,
                "kind": entry.get("kind"),
                "path": entry.get("path"),
                "record": entry.get("record"),
                "made_by": made.name
                if (made := ledger.by_file.get(entry.get("record", "")))
                else None,
                "sha256": hashes.get(name),
            }
            for name, entry in sorted(inputs.items())
        ],
        "params": parts.get("params") or {},
        "code": code,
        "packages": parts.get("packages") or {},
        "numerics": parts.get("numerics"),
        "counts": record.counts if believed else {},
        "believed": believed,
    }


def problems(ledger: Ledger, record: Record) -> list[str]:
    """Where `record` contradicts itself or the records of its inputs, one sentence each."""
    if record.fault:
        # What follows from a record that contradicts itself is worth nothing.
        return [f"{record.file} is not believed: {record.fault}: `git checkout -- {record.file}`."]
    found = []
    if unknown := definition.unknown(record.raw):
        found.append(f"{record.name}: {unknown}.")
    for name, entry in sorted(record.inputs.items()):
        recorded = str(record.parts["inputs"].get(name))
        if entry.get("kind") == "source":
            found += _source_problem(ledger, record, entry["path"], recorded)
            continue
        made = ledger.by_file.get(entry.get("record", ""))
        if made is None:
            found.append(
                f"{record.name}: the record of its input {name} ({entry.get('record')}) is missing."
            )
        elif entry["kind"] == "data" and recorded != made.sha256:
            found.append(
                f"{record.name} was made from another {made.name} "
                f"({recorded[:12]}) than the one recorded now "
                f"({made.sha256[:12]}): run `snakemake` to bring it up to date."
            )
        elif entry["kind"] == "record" and recorded != _record_sha256(ledger, made):
            found.append(
                f"{record.name} was made from another {made.file} than the one that is there now: "
                "run `snakemake` to bring it up to date."
            )
    return found


def _record_sha256(ledger: Ledger, record: Record) -> str:
    return hashlib.sha256(ledger.content(record)).hexdigest()


def _source_problem(ledger: Ledger, record: Record, path: str, recorded: str) -> list[str]:
    try:
        now = source_digest(FileTree(ledger.root, path), path)
    except FlowError:
        return [f"{record.name}: its source {path} is missing: `git checkout -- {path}`."]
    if now == recorded:
        return []
    return [
        f"{record.name} was made from other contents of {path} ({recorded[:12]}) than are there "
        f"now ({now[:12]}): run `snakemake`, or `git checkout -- {path}`."
    ]


def documents(record: Record) -> dict[str, Any] | None:
    """What a step counted of documents: in, kept, dropped by reason; None if it did not."""
    counts = record.counts
    kept = counts.get("kept")
    if not isinstance(kept, int):  # a soup says which of its weights it kept
        kept = None
    if kept is None and "dropped" not in counts:
        return None
    dropped = counts.get("dropped") or {}
    if isinstance(dropped, int):
        dropped = {"(all reasons)": dropped}
    return {
        "in": counts.get("in"),
        "kept": kept,
        "dropped": dict(sorted(dropped.items(), key=lambda item: (-item[1], item[0]))),
    }


def _unlicensed(chain: list[Record]) -> dict[str, int] | None:
    """How many documents of how many have no known licence; None where no step of the chain counted it."""
    for record in reversed(chain):
        known = record.counts.get("licences") if record.step == "text" else None
        if isinstance(known, dict):
            return {"documents": int(known.get(UNKNOWN, 0)), "of": sum(map(int, known.values()))}
    return None


def _documents(chain: list[Record]) -> list[dict[str, Any]]:
    counted = ((record, documents(record)) for record in chain)
    return corpora.summed((record, said) for record, said in counted if said is not None)
