"""Documents that a fork brought: where they lie, and what its mix did with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.lineage.ledger import Record
from regrow.lineage.shelf import Shelf
from regrow.lineage.trace.match import Match
from regrow.lineage.trace.stop import Stop
from regrow.tasks.mid.text import identity

STEP = "forkmix"
COMPONENT = "own"
HELDOUT = f"heldout/{COMPONENT}/index.parquet"
"""the packing of what a fork keeps apart"""


def mixes(shelf: Shelf) -> list[Record]:
    """The records of the mixes of forks."""
    return shelf.ledger.of_step(STEP)


def tables(shelf: Shelf) -> list[tuple[Record, Path]]:
    """The tables of documents that forks brought and that are on disk, with the mix that read each."""
    found = []
    for record in mixes(shelf):
        entry = record.inputs.get("documents") or {}
        path = shelf.root / str(entry.get("path", "")) / "documents.parquet"
        if entry.get("kind") == "source" and path.is_file():
            found.append((record, path))
    return found


def journey(shelf: Shelf, match: Match) -> list[Stop]:
    """The stops of a document that a fork brought; [] of any other."""
    for record, path in tables(shelf):
        rows = shelf.lookup.equal(path, "id", match.id) if match.id else []
        if rows:
            return [_brought(record, rows[0]), *_mixed(shelf, record, rows[0]["id"])]
    return []


def _brought(record: Record, row: dict[str, Any]) -> Stop:
    facts = {c: row[c] for c in ("url", "source", "licence", "characters") if row.get(c)}
    return Stop("fork", "kept", {"fork": record.instance, **facts})


def _mixed(shelf: Shelf, record: Record, id: str) -> list[Stop]:
    columns = ("reason", "value", "threshold", "detail")
    gone = shelf.find(record.name, "drops.parquet", "id", id, columns)
    if gone:
        facts = {name: value for name, value in gone[0].items() if value not in (None, "")}
        return [Stop(record.name, "dropped", facts)]
    first = identity(COMPONENT, id, 0)
    if shelf.find(record.name, HELDOUT, "id", first):
        return [Stop(record.name, "held out", {"component": COMPONENT})]
    if not shelf.find(record.name, "documents.parquet", "parent", id):
        here = shelf.path(record.name, "documents.parquet")
        told = {"passages": 0, "why": "no room in the mix, or a leak in every passage"}
        return [Stop(record.name, "kept", told) if here else Stop(record.name, "unknown")]
    return []
