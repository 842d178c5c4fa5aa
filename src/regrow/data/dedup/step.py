"""The dedup step: exact duplicates first, then near-duplicates among what is left, then long strings that come again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.dedup import containment, near, signatures
from regrow.data.dedup.clusters import preference
from regrow.data.dedup.components import components
from regrow.data.dedup.containment import Held
from regrow.data.dedup.signatures import Signatures
from regrow.data.dedup.texts import Texts
from regrow.data.tables import passes, stream
from regrow.data.tables.drops import drop_row
from regrow.data.tables.parquet import DROPS
from regrow.data.tables.stream import Row, Schema
from regrow.params.data import Containment, Dedup

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

    With `containment` in the params, one copy stays of what is there as a PDF and as pages
    (`regrow.data.dedup.containment`): `in_pages` are PDFs that pages hold, `in_pdf` pages that a PDF holds.

    With `substring` in the params, long strings that come again are cut out of the documents that stay
    (`regrow.data.dedup.substring.cutting`); `cuts.parquet` says what each of them lost.

    Returns the counts of documents in, kept and dropped by reason, and of what was cut.

    Raises:
        ValueError: the table lacks a column, or signatures are of other documents.
    """
    path = inputs["filter"] / "documents.parquet"
    needed = _NEEDED | ({"mime"} if params.dedup.containment else set())
    schema = passes.schema(path, needed, "filter")
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as scratch:
        table = passes.ordered(path, schema, ("id", "url"), Path(scratch))
        parts = [
            path / "signatures.parquet"
            for name, path in sorted(inputs.items())
            if name.startswith("signatures.")
        ]
        if not parts:
            made = Path(scratch) / "signatures.parquet"
            signatures.write(stream.rows(table, ["id", "text"]), params.dedup, made)
        found = Signatures(parts or [made], table if parts else None)
        texts = Texts(table, params.dedup.ngram, Path(scratch))
        try:
            drops = _drops(texts, found, params.dedup)
            if params.dedup.containment:
                _contained(table, texts, found, drops, params.dedup.containment)
            return _written(table, schema, found, texts, drops, output, Path(scratch), params.dedup)
        finally:
            texts.close()


@dataclass(frozen=True)
class _Drops:
    """For each row the row that stays in its place (-1: it stays itself), how alike they are, and whether that is all."""

    kept: NDArray[np.int64]
    value: NDArray[np.float64]
    exact: NDArray[np.bool_]
    held: dict[int, Held] = field(default_factory=dict)
    """what `containment` says of rows that it drops"""


def _drops(texts: Texts, found: Signatures, params: Dedup) -> _Drops:
    """Which rows go."""
    groups = [*found.copies()]
    texts.read(np.sort(np.concatenate([np.zeros(0, np.int64), *groups])), texts=False)
    of = np.full(len(found.ids), -1, np.int64)
    for group in groups:
        kept, *others = sorted(group.tolist(), key=lambda row: _preference(texts, row))
        of[others] = kept
    copies = np.flatnonzero(of >= 0)
    print(f"dedup: {len(copies)} exact copies of {len(found.ids)}", file=sys.stderr, flush=True)

    drops = _near(texts, found, of < 0, params)
    to = of[copies]
    near_too = drops.kept[to] >= 0
    # A copy of what goes is as alike to what stays.
    drops.kept[copies] = np.where(near_too, drops.kept[to], to)
    drops.value[copies] = np.where(near_too, drops.value[to], 1.0)
    drops.exact[copies] = ~near_too
    return drops


def _near(texts: Texts, found: Signatures, left: NDArray[np.bool_], params: Dedup) -> _Drops:
    """The near copies among what is left."""
    count = len(found.ids)
    rows = np.flatnonzero(left & (found.column("grams") > 0))
    names = signatures.bands(params)
    groups = components(count, rows, [partial(found.column, name) for name in names])
    texts.read(np.sort(np.concatenate([np.zeros(0, np.int64), *groups])), texts=True)
    keys = _keys(found, groups, names)
    drops = _Drops(np.full(count, -1, np.int64), np.zeros(count), np.zeros(count, bool))
    given_up = 0
    sequences = texts.sequences(chain.from_iterable(group.tolist() for group in groups))
    for number, group in enumerate(groups):
        if len(group) >= _LARGE:
            said = f"dedup: {len(group):,} documents share bands with each other"
            print(said, file=sys.stderr, flush=True)
        at = group.tolist()
        similarity = near.Similarity([*islice(sequences, len(at))])
        clusters, more = near.clusters(similarity, params, keys[number])
        given_up += more
        for cluster in clusters:
            kept, *others = sorted(cluster, key=lambda one: _preference(texts, at[one]))
            for one in others:
                drops.kept[at[one]], drops.value[at[one]] = at[kept], similarity.of(kept, one)
    if given_up:
        print(
            f"dedup: {given_up} documents are nearly, but not enough, like {near.TRIES} others each; "
            "no more were compared with them",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    return drops


def _contained(
    table: Path, texts: Texts, found: Signatures, drops: _Drops, params: Containment
) -> None:
    """Drop one of two copies of what is there as a PDF and as pages, among what is left."""
    kinds = (row["mime"] for row in stream.rows(table, ["mime"]))
    pdf = np.fromiter((kind == containment.PDF for kind in kinds), bool, len(found.ids))
    drops.held.update(containment.held(texts, found, drops.kept < 0, pdf, params))
    for row, held in drops.held.items():
        drops.kept[row], drops.value[row] = held.by, held.value


def _keys(
    found: Signatures, groups: list[NDArray[np.int64]], names: list[str]
) -> list[NDArray[np.uint64]]:
    """The band keys of the documents of each component."""
    if not groups:
        return []
    every = found.keys(names, np.concatenate(groups))
    return np.split(every, np.cumsum([len(group) for group in groups])[:-1])


def _preference(texts: Texts, row: int) -> tuple[object, ...]:
    url, source, own = texts.about(row)
    return preference(url or "", source or "", own)


def _rows(texts: Texts, drops: _Drops, limit: float) -> Iterator[Row]:
    """The rows of the table of drops; an exact copy has no threshold."""
    for row in np.flatnonzero(drops.kept >= 0).tolist():
        value, exact = float(drops.value[row]), bool(drops.exact[row])
        url, _, own = texts.about(row)
        kept = texts.about(int(drops.kept[row]))[2]
        held = drops.held.get(row)
        if held:
            yield drop_row("dedup", own, url, held.reason, value, held.limit, kept)
            continue
        reason = "exact" if exact else "near" if value >= limit else "near_chain"
        yield drop_row("dedup", own, url, reason, value, None if exact else limit, kept)


def _stay(
    table: Path, schema: Schema, ids: pl.Series, left: NDArray[np.bool_], target: Path
) -> int:
    """Write the documents that stay; how many.

    Raises:
        ValueError: the ids of the table are not those of its signatures.
    """
    with stream.Writer(target, schema) as writer:
        for at, (row, own) in enumerate(zip_longest(stream.rows(table), ids)):
            if row is None or row["id"] != own:
                there, needed = own or "none", "none" if row is None else row["id"]
                raise ValueError(
                    f"signatures.parquet: {there} is there instead of {needed}; rerun the signatures step"
                )
            if left[at]:
                writer.add(row)
    return writer.rows


def _written(
    table: Path,
    schema: Schema,
    found: Signatures,
    texts: Texts,
    drops: _Drops,
    output: Path,
    scratch: Path,
    params: Dedup,
) -> dict[str, Any]:
    """Write both tables; the counts."""
    target = scratch / "whole.parquet" if params.substring else output / "documents.parquet"
    kept = _stay(table, schema, found.ids, drops.kept < 0, target)
    print(f"dedup: {kept} of {len(found.ids)} stay", file=sys.stderr, flush=True)
    rows, more = _rows(texts, drops, params.jaccard), {}
    if params.substring:
        from regrow.data.dedup.substring import cutting  # suffix arrays: loaded where they are used

        cut = cutting.run(target, schema, params.substring, output, scratch)
        rows, kept = chain(rows, stream.rows(scratch / cutting.DROPPED)), cut.kept
        more = {"cut": cut.counts()}
    reasons: Counter[str] = Counter()
    runs = stream.sorted_runs(rows, DROPS, ("id", "reason", "detail"), scratch, "drops")
    with stream.Writer(output / "drops.parquet", DROPS) as dropped:
        for row in stream.merged(runs, ("id", "reason", "detail"), scratch):
            reasons[row["reason"]] += 1
            dropped.add(row)
    ids = [passes.ids(output / f"{name}.parquet") for name in ("documents", "drops")]
    passes.conserved("dedup", "documents", passes.ids(table), *ids)
    return {"in": len(found.ids), "kept": kept, "dropped": dict(sorted(reasons.items()))} | more
