"""What a fork brought, as its own steps recorded it: found by id, summed up for audits and exports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from regrow.engine.hashing import sha256_file
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.release.composition import Source
from regrow.release.own import KINDS

FILE = "contributions.parquet"
COLUMNS = ["id", "url", "source", "licence", "outcome", "tokens"]


def records(chain: Iterable[Record]) -> list[Record]:
    """The steps of a chain that read what a fork brought; [] where there is no fork."""
    return [record for record in chain if record.function in KINDS]


def brought(outputs: Outputs, chain: Iterable[Record]) -> list[dict[str, Any]]:
    """Per step that read it: what a fork brought, in all, by source and licence, and row by row.

    Fields: job, kind, fork, point (the parent's checkpoint), path and sha256 of the source, count, licences,
    shares (source, licence, count, tokens), rows (COLUMNS); the last two are [] where the table is not on disk.
    """
    found = []
    for record in records(chain):
        fork = dict(record.parts["params"].get("fork") or {})
        source = next(n for n, e in record.inputs.items() if _given(n, e))
        rows = outputs.rows(record.name, FILE, pl.lit(True), COLUMNS)
        found.append(
            {
                "job": record.name,
                "kind": KINDS[record.function],
                "fork": record.instance,
                "point": f"{fork['stage']}.{fork['checkpoint']:06d}" if fork else None,
                "path": record.inputs[source]["path"],
                "sha256": record.parts["inputs"].get(source),
                "count": len(rows),
                "licences": sorted({row["licence"] for row in rows}),
                "shares": _shares(rows),
                "rows": sorted(
                    rows, key=lambda row: (row["url"] is None, row["url"] or "", row["id"])
                ),
            }
        )
    return found


def _given(name: str, entry: dict[str, Any]) -> bool:
    """Whether an input is what was brought: the fork's table, or the file of a data set of conversations."""
    return entry.get("kind") == "source" and name in ("documents", "chats")


def _shares(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        one = sums.setdefault((row["source"], row["licence"]), [0, 0])
        one[0] += 1
        one[1] += int(row["tokens"])
    return [
        {"source": source, "licence": licence, "count": count, "tokens": tokens}
        for (source, licence), (count, tokens) in sorted(sums.items())
    ]


def sources(outputs: Outputs, chain: Iterable[Record]) -> list[Source]:
    """The sources that a fork brought, one per name and licence, as those of the manifest are reported.

    Their names carry the fork's, so that none is taken for a source of the manifest.
    """
    found: dict[tuple[str, str], Source] = {}
    for part in brought(outputs, chain):
        origin = f"fork {part['fork']}" if part["fork"] else f"data set {part['job']}"
        for share in part["shares"]:
            name = f"{share['source']} ({origin})"
            key = (name, share["licence"])
            found.setdefault(
                key,
                Source(name, share["licence"], origin=origin, sha256=part["sha256"]),
            )
    return [found[key] for key in sorted(found)]


def files(root: Path, chain: Iterable[Record]) -> list[dict[str, Any]]:
    """The files that a fork brought: path, size, sha256, and no host (see lineage.sources.source_files)."""
    found = []
    for record in records(chain):
        for name, entry in record.inputs.items():
            path = root / str(entry["path"])
            if _given(name, entry):
                here = path.is_file()
                found.append(
                    {
                        "path": entry["path"],
                        "size": path.stat().st_size if here else None,
                        "sha256": sha256_file(path) if here else None,
                        "hosts": [],
                    }
                )
    return found
