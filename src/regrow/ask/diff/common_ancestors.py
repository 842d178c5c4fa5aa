"""Artifacts of different places of the flow: what is between them, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def between(ledger: Ledger, later: Record, first: Record) -> list[Record]:
    """The jobs on the ways from `first` (left out) to `later`, in flow order."""
    chain = ledger.ancestry(later)
    through = {r.file for r in chain if r.key == first.key}
    for record in chain:  # producers come first
        if any(parent.file in through for parent in ledger.parents(record)):
            through.add(record.file)
    return [r for r in chain if r.file in through and r.key != first.key]


def last_common(ledger: Ledger, record: Record, others: Mapping[str, Record]) -> list[str]:
    """The latest jobs that `record` and an ancestry (`others`, by key) both come from."""
    common = [r for r in ledger.ancestry(record) if r.key in others]
    parents = {p.file for r in common for p in ledger.parents(r)}
    return [r.name for r in common if r.file not in parents]


def contributed(
    made: Iterable[Record], left: Mapping[str, Record], right: Mapping[str, Record]
) -> list[dict[str, str]]:
    """Sources that jobs read and that no job of both ancestries (by key) does: path, sha256, job."""
    shared = {
        entry["path"]
        for key, record in left.items()
        if key in right
        for entry in record.inputs.values()
        if entry["kind"] == "source"
    }
    found = {
        (entry["path"], str(record.parts["inputs"][name]), record.name)
        for record in made
        for name, entry in record.inputs.items()
        if entry["kind"] == "source" and entry["path"] not in shared
    }
    return [{"path": path, "sha256": sha, "job": job} for path, sha, job in sorted(found)]
