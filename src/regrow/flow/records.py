"""Records: one JSON file per job, the edges of the graph. docs/architecture.md has the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regrow.flow import definition, files
from regrow.flow.definition import key_of
from regrow.flow.hashing import Digest, digest_bytes, tree_sha256
from regrow.flow.jobs import Job
from regrow.flow.shape import shaped
from regrow.flow.store import dir_md5

Record = dict[str, Any]


def compose(job: Job, parts: Mapping[str, Any], output: Mapping[str, Any], counts: Any) -> Record:
    """The record of a finished job."""
    return {
        **definition.numbered(),
        "step": job.step.name,
        "instance": job.instance,
        "key": key_of(parts),
        "parts": dict(parts),
        "inputs": input_part(job),
        "output": dict(output),
        "counts": counts,
    }


def input_part(job: Job) -> dict[str, dict[str, str]]:
    """The part `inputs`: where each input lies, and the record that says what it is."""
    inputs = {}
    for item in job.inputs:
        entry = {"kind": item.kind, "path": item.path}
        if item.job:
            entry["record"] = f"records/{item.job}.json"
        inputs[item.name] = entry
    return inputs


def output_part(job: Job, digests: Mapping[str, Digest]) -> dict[str, Any]:
    """The part `output`: digests of every file and of the whole."""
    entries = [
        {"path": name, "sha256": d.sha256, "md5": d.md5, "size": d.size}
        for name, d in sorted(digests.items())
    ]
    return {
        "path": job.data,
        "sha256": tree_sha256({name: d.sha256 for name, d in digests.items()}),
        "md5": dir_md5(entries),
        "size": sum(d.size for d in digests.values()),
        "nfiles": len(entries),
        "files": entries,
    }


def encode(record: Record) -> bytes:
    """The bytes of a record's file: equal records, equal bytes."""
    return (json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(content: bytes) -> Record | None:
    """A record from bytes; None if it is none, or if key or digests contradict its content."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return record if sound(record) else None


def sound(record: Any) -> bool:
    """Whether something is a record whose key and digests follow from its content.

    Its paths stay inside its own folder (`shape`). The key follows by the formula of the definition under which
    it was made; one of an unknown definition is not sound (`definition.unknown` says so).
    """
    try:
        if not shaped(record):
            return False
        output = record["output"]
        tree = tree_sha256({f["path"]: f["sha256"] for f in output["files"]})
        return (
            record["key"] == key_of(record["parts"], definition.of(record))
            and output["sha256"] == tree
            and output["md5"] == dir_md5(output["files"])
            and isinstance(record["inputs"], dict)
        )
    except (KeyError, TypeError, AttributeError, RecursionError):
        return False


def is_of(record: Record, job: Job) -> bool:
    """Whether a record is of this job."""
    return bool(record["step"] == job.step.name and record["instance"] == job.instance)


class Book:
    """The records of a repository, read at most once each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, tuple[Record, Digest] | None] = {}

    def _get(self, path: str) -> tuple[Record, Digest] | None:
        if path not in self._read:
            try:
                content = (self.root / path).read_bytes()
            except OSError:
                self._read[path] = None
            else:
                record = decode(content)
                self._read[path] = None if record is None else (record, digest_bytes(content))
        return self._read[path]

    def record(self, job: Job) -> Record | None:
        """The record of a job; None if it is missing, unsound, or of another job."""
        found = self._get(job.record)
        return found[0] if found and is_of(found[0], job) else None

    def fault(self, job: Job) -> str:
        """Why a record that is there does not count: `is damaged: ...`, `cannot be used: ...`."""
        found = self._get(job.record)
        if found is None:
            if unknown := definition.unknown(files.read_json(self.root / job.record)):
                return f"cannot be used: {unknown}"
            return "is damaged: its digests do not follow from its content, or a path leaves its folder"
        return f"is damaged: it is of another job, {found[0]['step']} {found[0]['instance'] or ''}".rstrip()

    def digest(self, job: Job) -> Digest | None:
        """Digests of the record's file."""
        found = self._get(job.record)
        return found[1] if found else None

    def write(self, job: Job, record: Record) -> None:
        """Write a record by rename."""
        content = encode(record)
        files.write_atomically(self.root / job.record, content)
        self._read[job.record] = (record, digest_bytes(content))
