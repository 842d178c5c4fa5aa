"""Documents and conversations that a fork brought: where they are, and what its steps did with them.

What became of each is in contributions.parquet where the step wrote one; otherwise it follows from the step's output.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.ask.trace.match import Match
from regrow.ask.trace.stop import Outcome, Stop
from regrow.evidence import datasets
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.learn.tasks.mid.text import identity

OWN = "contributions.parquet"
_OUTCOMES: dict[str, Outcome] = {"dropped": "dropped", "held out": "held out"}
"""of contributions.parquet; every other one is kept"""
COMPONENT = "own"
HELDOUT = f"heldout/{COMPONENT}/index.parquet"
"""the packing of what a fork keeps apart"""


def mixes(outputs: Outputs) -> list[Record]:
    """The records of the mixes of forks."""
    return datasets.made(outputs.ledger, (datasets.FORKMIX,))


def chats(outputs: Outputs) -> list[Record]:
    """The records of the examples of forks."""
    return datasets.made(outputs.ledger, (datasets.FORKSFT,))


def tables(outputs: Outputs) -> list[tuple[Record, Path]]:
    """The tables of documents that forks brought and that are on disk, with the mix that read each."""
    found = []
    for record in mixes(outputs):
        entry = record.inputs.get("documents") or {}
        path = outputs.root / str(entry.get("path", ""))
        if path.suffix != ".parquet":  # the input may be the folder or the table
            path = path / "documents.parquet"
        if entry.get("kind") == "source" and path.is_file():
            found.append((record, path))
    return found


def journey(outputs: Outputs, match: Match) -> list[Stop]:
    """The stops of a document that a fork brought; [] of any other."""
    for record, path in tables(outputs):
        rows = outputs.lookup.equal(path, "id", match.id) if match.id else []
        if rows:
            return [_brought(record, rows[0]), *_mixed(outputs, record, rows[0]["id"])]
    return []


def _brought(record: Record, row: dict[str, Any]) -> Stop:
    facts = {c: row[c] for c in ("url", "source", "licence", "characters") if row.get(c)}
    return Stop("fork", "kept", {"fork": record.instance, **facts})


def _mixed(outputs: Outputs, record: Record, id: str) -> list[Stop]:
    columns = ("reason", "value", "threshold", "detail")
    gone = outputs.find(record.name, "drops.parquet", "id", id, columns)
    own = outputs.find(record.name, OWN, "id", id)
    told = own[0]["outcome"] if own else ""
    if not gone and told == "dropped":
        return [Stop(record.name, "dropped", {"reason": "every passage of it was dropped"})]
    if gone and told in ("", "dropped"):
        facts = {name: value for name, value in gone[0].items() if value not in (None, "")}
        return [Stop(record.name, "dropped", facts)]
    first = identity(COMPONENT, id, 0)
    if told == "held out" or (not told and outputs.find(record.name, HELDOUT, "id", first)):
        return [Stop(record.name, "held out", {"component": COMPONENT})]
    if not outputs.find(record.name, "documents.parquet", "parent", id):
        here = outputs.path(record.name, "documents.parquet")
        facts = {"passages": 0, "why": "no room in the mix, or a leak in every passage"}
        return [Stop(record.name, "kept", facts) if here else Stop(record.name, "unknown")]
    return []


def conversations_of(outputs: Outputs, ids: set[str]) -> dict[str, dict[str, Any]]:
    """url, source and licence of those ids that are conversations which a fork brought."""
    found: dict[str, dict[str, Any]] = {}
    for record in chats(outputs):
        rows = outputs.find_all(
            record.name, OWN, "id", ids - found.keys(), ("url", "source", "licence")
        )
        for id, held in rows.items():
            if held and (known := {name: value for name, value in held[0].items() if value}):
                found[id] = known
    return found


def conversations(outputs: Outputs, prefix: str) -> list[Match]:
    """Conversations of forks whose id begins so."""
    return [
        Match(row["id"], f"{record.name}/{OWN}", row.get("source") or "", "id", kind="conversation")
        for record in chats(outputs)
        for row in outputs.begins(record.name, OWN, "id", prefix)
    ]


def chatted(outputs: Outputs, id: str) -> list[Stop]:
    """What became of a conversation that a fork brought."""
    stops = []
    for record in chats(outputs):
        for row in outputs.find(record.name, OWN, "id", id):
            facts = {
                k: v for k, v in row.items() if v not in (None, "") and k not in ("id", "outcome")
            }
            outcome = row["outcome"]
            if outcome == "dropped":
                columns = ("reason", "value", "threshold", "detail")
                gone = outputs.find(record.name, "drops.parquet", "id", id, columns)
                facts = {k: v for k, v in (gone[0] if gone else facts).items() if v is not None}
            stops.append(Stop(record.name, _OUTCOMES.get(outcome, "kept"), facts))
    return stops
