"""The dedup step: exact duplicates first, then near-duplicates among what is left."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from regrow.data.dedup import near, signatures
from regrow.data.dedup.clusters import preference
from regrow.data.dedup.components import components
from regrow.data.dedup.signatures import Signatures
from regrow.data.dedup.texts import Texts
from regrow.data.tables import stream
from regrow.data.tables.conservation import conserved
from regrow.data.tables.parquet import DROPS
from regrow.data.tables.stream import Row
from regrow.params.data import Dedup

_NEEDED = {"id", "url", "source", "text"}
_LARGE = 10_000
"""documents of a component from which its size is said"""


def run(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Deduplicate `filter/documents.parquet` into documents.parquet and drops.parquet.

    Of a cluster the document stays that `clusters.preference` puts first. A drop's detail is
    the id of the document that stayed, its value their Jaccard similarity; `near_chain` marks
    the drops that are similar to it only through others of the cluster.

    Inputs `signatures.<part>` are those of its parts (`regrow.data.dedup.signatures`); without them they are computed
    here. Memory grows by some 60 bytes a document, and with the texts of the largest component.

    Returns the counts of documents in, kept and dropped by reason.

    Raises:
        ValueError: the table lacks a column, or signatures are of other documents.
    """
    with TemporaryDirectory(dir=_folder(output)) as scratch:
        table = _sorted(inputs["filter"] / "documents.parquet", Path(scratch))
        parts = [
            path / "signatures.parquet"
            for name, path in sorted(inputs.items())
            if name.startswith("signatures.")
        ]
        if not parts:
            made = Path(scratch) / "signatures.parquet"
            signatures.write(stream.rows(table, ["id", "text"]), params.dedup, made)
        found = Signatures(parts or [made], parts=bool(parts))
        drops = _drops(table, found, params.dedup)
        return _written(table, found, drops, output, Path(scratch))


def _folder(output: Path) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    return output


def _sorted(path: Path, scratch: Path) -> Path:
    """The table, sorted by id and URL; itself where it is. Raises ValueError for a table that lacks a column."""
    missing = _NEEDED - set(stream.schema_of([path]))
    if missing:
        raise ValueError(f"{path.name}: no column {sorted(missing)}; rerun the filter step")
    return stream.in_order(path, ("id", "url"), scratch)


def _drops(table: Path, found: Signatures, params: Dedup) -> dict[int, Row]:
    """Row -> its row of drops."""
    texts = Texts(table, params.ngram)
    copies: dict[int, int] = {}
    for group in found.copies():
        kept, *others = sorted(group, key=lambda row: _preference(texts, row))
        copies |= dict.fromkeys(others, kept)
    print(f"dedup: {len(copies)} exact copies of {len(found.ids)}", file=sys.stderr, flush=True)

    alike = _near(texts, found, copies, params)
    drops = {
        row: _drop(texts, row, kept, value, params.jaccard) for row, (kept, value) in alike.items()
    }
    for row, kept in copies.items():
        if kept in alike:  # a copy of what goes is as alike to what stays
            drops[row] = _drop(texts, row, *alike[kept], params.jaccard)
        else:
            drops[row] = _drop(texts, row, kept, 1.0, None)
    return drops


def _near(
    texts: Texts, found: Signatures, copies: Mapping[int, int], params: Dedup
) -> dict[int, tuple[int, float]]:
    """Row that goes -> the row that stays, and how alike they are."""
    left = np.ones(len(found.ids), bool)
    left[list(copies)] = False
    rows = np.flatnonzero(left & (found.column("grams") > 0))
    names = signatures.bands(params)
    groups = components(len(found.ids), rows, [partial(found.column, name) for name in names])
    keys = _keys(found, groups, names)
    result: dict[int, tuple[int, float]] = {}
    given_up = 0
    for number, group in enumerate(groups):
        if len(group) >= _LARGE:
            said = f"dedup: {len(group):,} documents share bands with each other"
            print(said, file=sys.stderr, flush=True)
        at = group.tolist()
        similarity = near.Similarity(texts.sequences(at))
        clusters, more = near.clusters(similarity, params, keys[number])
        given_up += more
        for cluster in clusters:
            kept, *others = sorted(cluster, key=lambda one: _preference(texts, at[one]))
            for one in others:
                result[at[one]] = at[kept], similarity.of(kept, one)
    if given_up:
        print(
            f"dedup: {given_up} documents are nearly, but not enough, like {near.TRIES} others each; "
            "no more were compared with them",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    return result


def _keys(
    found: Signatures, groups: list[np.ndarray[Any, Any]], names: list[str]
) -> list[np.ndarray[Any, Any]]:
    """The band keys of the documents of each component."""
    if not groups:
        return []
    members = np.concatenate(groups)
    every = np.stack([found.column(name)[members] for name in names], axis=1)
    return np.split(every, np.cumsum([len(group) for group in groups])[:-1])


def _preference(texts: Texts, row: int) -> tuple[object, ...]:
    return preference(*texts.about(row))


def _drop(texts: Texts, row: int, kept: int, value: float, threshold: float | None) -> Row:
    """A drop; without a threshold it is an exact copy."""
    reason = "exact" if threshold is None else "near" if value >= threshold else "near_chain"
    url, _, own = texts.about(row)
    return {
        "id": own, "url": url, "step": "dedup", "reason": reason, "value": value, "threshold": threshold,
        "detail": texts.about(kept)[2],
    }  # fmt: skip


def _written(
    table: Path, found: Signatures, drops: Mapping[int, Row], output: Path, scratch: Path
) -> dict[str, Any]:
    """Write both tables; the counts."""
    kept: list[str] = []
    with stream.Writer(output / "documents.parquet", stream.schema_of([table])) as writer:
        for at, row in enumerate(stream.rows(table)):
            if row["id"] != found.ids[at]:
                raise ValueError(
                    f"signatures.parquet: {found.ids[at]} is there instead of {row['id']}; rerun the signatures step"
                )
            if at not in drops:
                kept.append(row["id"])
                writer.add(row)
    print(f"dedup: {len(kept)} of {len(found.ids)} stay", file=sys.stderr, flush=True)
    runs = stream.sorted_runs(drops.values(), DROPS, ("id", "reason", "detail"), scratch, "drops")
    with stream.Writer(output / "drops.parquet", DROPS) as dropped:
        for row in stream.merged(runs, ("id", "reason", "detail"), scratch):
            dropped.add(row)
    ids = [str(row["id"]) for row in drops.values()]
    conserved("dedup", "documents", found.ids, kept, ids)
    reasons = Counter(str(row["reason"]) for row in drops.values())
    return {"in": len(found.ids), "kept": len(kept), "dropped": dict(sorted(reasons.items()))}
