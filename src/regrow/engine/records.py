"""Records: one JSON file per job, the edges of the graph. docs/concepts/architecture.md has the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regrow.engine import definition, files, shape
from regrow.engine.definition import code_digest, key_of
from regrow.engine.hashing import Digest, digest_bytes, dir_md5, listing_sha256, tree_sha256
from regrow.engine.jobs import Job

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
    """The part `inputs`: where each input is, and the record that says what it is."""
    inputs = {}
    for item in job.inputs:
        entry = {"kind": item.kind, "path": item.path}
        if item.job:
            entry["record"] = f"records/{item.job}.json"
        inputs[item.name] = entry
    return inputs


def output_part(path: str, digests: Mapping[str, Digest]) -> dict[str, Any]:
    """The part `output` of what is at `path`: digests of every file and of the whole."""
    entries = [
        {"path": name, "sha256": d.sha256, "md5": d.md5, "size": d.size}
        for name, d in sorted(digests.items())
    ]
    return {
        "path": path,
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
    record, why = read(content)
    return None if why else record


def read(content: bytes) -> tuple[Any, str]:
    """What bytes hold, and why that is no sound record ("" where it is one)."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None, "it is no JSON"
    return record, fault(record)


def sound(record: Any) -> bool:
    """Whether something is a record whose key and digests follow from its content."""
    return not fault(record)


def fault(record: Any) -> str:
    """Why something is no record whose key and digests follow from its content, "" where it is one.

    Its paths stay inside its own folder (`shape`). The key follows by the formula of the definition under which
    it was made; one of an unknown definition is not sound (`definition.unknown` says so).
    """
    try:
        if why := shape.fault(record):
            return f"{_CONTRADICTS}, or a path leaves its folder: {why}"
        output, code = record["output"], record["parts"]["code"]
        tree = listing_sha256(
            {f["path"]: f["sha256"] for f in output["files"]}
        )  # `shape` checks names
        follows = {
            "its code digest": code["digest"] == code_digest(code["modules"], code["native"]),
            "its key": record["key"] == key_of(record["parts"], definition.of(record)),
            "its tree's sha256": output["sha256"] == tree,
            "its tree's md5": output["md5"] == dir_md5(output["files"]),
            "its instance": record["parts"].get("instance") == record["instance"],
        }
        wrong = [name for name, right in follows.items() if not right]
        return f"{_CONTRADICTS}: {wrong[0]} does not" if wrong else ""
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return f"{_CONTRADICTS}: it lacks a field, or has one of another kind"


_CONTRADICTS = "its digests do not follow from its content"


def contradiction(one: Record, other: Record) -> str:
    """What two records of one key say otherwise of its result, "" where they agree: `sha256`, `counts` …

    A key has one result: the whole output with every digest and size, and the counts.
    """
    if one["key"] != other["key"]:
        return ""
    if one["output"] != other["output"]:
        mine, theirs = one["output"], other["output"]
        for field in ("sha256", "md5", "size", "nfiles", "path"):
            if mine[field] != theirs[field]:
                return field
        return "files"
    return "" if _text(one["counts"]) == _text(other["counts"]) else "counts"


def _text(value: Any) -> str:
    # True is 1 and 1 is 1.0 to Python; to a reader of JSON they are three.
    return json.dumps(value, sort_keys=True)


def is_of(record: Record, job: Job) -> bool:
    """Whether a record is of this job."""
    return bool(record["step"] == job.step.name and record["instance"] == job.instance)


class Book:
    """The records of a repository, read at most once each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, tuple[Record, Digest] | None] = {}
        self._faults: dict[str, str] = {}
        self._encoded: dict[int, tuple[Record, Digest]] = {}

    def _get(self, path: str) -> tuple[Record, Digest] | None:
        if path not in self._read:
            try:
                content = (self.root / path).read_bytes()
            except OSError:
                self._read[path] = None
            else:
                record, why = read(content)
                self._read[path] = None if why else (record, digest_bytes(content))
                self._faults[path] = why
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
            return f"is damaged: {self._faults.get(job.record) or 'it cannot be read'}"
        return f"is damaged: it is of another job, {found[0]['step']} {found[0]['instance'] or ''}".rstrip()

    def spelt(self, job: Job) -> bool:
        """Whether the record's file holds the bytes of `encode`."""
        found = self._get(job.record)
        return found is not None and digest_bytes(encode(found[0])) == found[1]

    def digest(self, job: Job) -> Digest | None:
        """Digests of the record's file."""
        found = self._get(job.record)
        return found[1] if found else None

    def encoded(self, record: Record) -> Digest:
        """Digests of the file that `write` makes of a record, which must not change: many jobs may ask for them."""
        if (
            id(record) not in self._encoded
        ):  # kept with the record, so that no other gets its identity
            self._encoded[id(record)] = record, digest_bytes(encode(record))
        return self._encoded[id(record)][1]

    def write(self, job: Job, record: Record) -> None:
        """Write a record by rename."""
        content = encode(record)
        files.write_atomically(self.root / job.record, content)
        self._read[job.record] = (record, digest_bytes(content))
