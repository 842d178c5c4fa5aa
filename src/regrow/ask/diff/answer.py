"""`regrow diff`: the whole answer as one mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.ask.diff import code, documents
from regrow.ask.diff.inputs import pair_name
from regrow.ask.diff.side import Name, Side
from regrow.ask.diff.walk import Cause, Walk
from regrow.evidence.record import Record

_ORDER = (
    "bits", "position", "further", "step", "param", "option", "source", "input",
    "function", "native", "package", "numerics",
)  # fmt: skip


def diff(root: Path, one: str, two: str) -> dict[str, Any]:
    """Why two artifacts differ, JSON-able.

    Args:
        root: the repository.
        one: an artifact, at a revision if it has an @: `mix`, `rlvr.000080@branch`, `@branch`.
        two: the other.

    Raises:
        Unanswerable: a side is not there.
    """
    left, right = Side(root, Name.parse(one)), Side(root, Name.parse(two))
    a, b = left.artifact.record, right.artifact.record
    walk = Walk(left.ledger, right.ledger)
    walk.compare(a, b)
    missing: list[str] = []
    causes = [_cause(cause, walk, left, right, missing) for cause in walk.causes.values()]
    causes.sort(key=lambda c: (_ORDER.index(c["part"]), c["jobs"], c["text"]))
    folded = [pair_name(*pair) for mark, pair in walk.pairs.items() if not walk.own[mark]]
    equal = left.artifact.sha256 == right.artifact.sha256
    return {
        "left": _side(left),
        "right": _side(right),
        "equal": equal,
        "equal_keys": a.key == b.key,
        "files": _files(a, b),
        "documents": None if equal else _documents(root, a, b, missing),
        "causes": [] if equal else causes,
        "without_effect": causes if equal else [],
        "consequences": sorted(folded),
        "early_cutoff": [
            {"job": cut.job, "changes": [change.text for change in cut.changes]}
            for _, cut in sorted(walk.cuts.items())
        ],
        "not_here": sorted(set(missing)),
    }


def _side(side: Side) -> dict[str, Any]:
    artifact = side.artifact
    return {
        "name": side.label,
        "revision": side.name.revision or None,
        "commit": side.commit or None,
        "path": artifact.path,
        "sha256": artifact.sha256,
        "key": artifact.record.key,
        "size": artifact.size,
    }


def _files(a: Record, b: Record) -> dict[str, Any]:
    before = {f["path"]: f["sha256"] for f in a.files}
    after = {f["path"]: f["sha256"] for f in b.files}
    shared = sorted(before.keys() & after.keys())
    return {
        "equal": sum(before[name] == after[name] for name in shared),
        "differing": [name for name in shared if before[name] != after[name]],
        "only_left": sorted(before.keys() - after.keys()),
        "only_right": sorted(after.keys() - before.keys()),
    }


def _cause(cause: Cause, walk: Walk, left: Side, right: Side, missing: list[str]) -> dict[str, Any]:
    difference = cause.difference
    entry: dict[str, Any] = {
        "part": difference.part,
        "name": difference.name,
        "old": difference.old,
        "new": difference.new,
        "text": difference.text,
        "jobs": cause.jobs,
        "moves": cause.moves,
        **cause.more,
    }
    if difference.part == "function":
        pair = next(p for p in walk.pairs.values() if pair_name(*p) == cause.jobs[0])
        entry["module"] = code.module_of(difference.name, *pair)
        entry["change"] = code.change(difference.name, left, pair[0], right, pair[1])
    source = cause.more.get("source")
    if source:
        entry["files"] = _source_files(source, left, right)
        entry["documents"] = _first_table(source["path"], walk, left, right, missing)
    if cause.more.get("brings"):
        for brought in entry["brings"]:
            brought["documents"] = _brought(brought, left, right, missing)
    return entry


def _source_files(source: dict[str, Any], left: Side, right: Side) -> dict[str, list[str]] | None:
    """Files of a source that differ; None where a side's files are not those of its record."""
    path = source["path"]
    before = left.source(source.get("left", path), source["old"]) if source["old"] else {}
    after = right.source(path, source["new"]) if source["new"] else {}
    if before is None or after is None:
        return None
    shared = before.keys() & after.keys()
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(name for name in shared if before[name] != after[name]),
    }


def _first_table(
    path: str, walk: Walk, left: Side, right: Side, missing: list[str]
) -> dict[str, Any] | None:
    """The documents that a source's change added, removed and changed.

    Seen at the first pair in flow order that has a table of documents and comes from that source.
    """
    pairs = sorted(walk.pairs.values(), key=lambda pair: pair[0].order)
    for a, b in pairs:
        chain = [*left.ledger.ancestry(a), *right.ledger.ancestry(b)]
        reads = any(entry["path"] == path for r in chain for entry in r.inputs.values())
        if reads and documents.table_of(a, b) and a.sha256 != b.sha256:
            return _documents(left.root, a, b, missing)
    return None


def _brought(
    brought: dict[str, Any], left: Side, right: Side, missing: list[str]
) -> dict[str, Any] | None:
    """What the table of the job that first reads a further source holds beyond that of its input."""
    for side in (right, left):
        record = side.ledger.by_name.get(brought["job"])
        if record is None:
            continue
        try:
            own = documents.brought(side.root, record)
        except documents.NotHere as error:
            missing.append(str(error))
            return None
        if own is not None:
            return own
        for parent in side.ledger.parents(record):
            found = documents.table_of(parent, record)
            if found == "documents.parquet":
                return _documents(side.root, parent, record, missing)
    return None


def _documents(root: Path, a: Record, b: Record, missing: list[str]) -> dict[str, Any] | None:
    try:
        return documents.compare(root, a, b)
    except documents.NotHere as error:
        missing.append(str(error))
        return None
