"""The decontaminate step: a hold-out set per domain, and no training document that overlaps it.

Held-out documents are measured by every checkpoint, so training must not see them, nor their
other versions (`regrow.data.dedup.holdout`), nor pages that share much of their text
(`regrow.data.dedup.overlap`), nor items of the evals in `evals/`, nor tasks of dev and test
(`regrow.data.dedup.items`).

The table is passed over four times and never held: to choose the hold-out, to collect it, to look at every other
document, and to write what stays. In memory are the n-grams of the held-out documents, which
`regrow.data.dedup.choice` bounds, the evals and the tasks.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from regrow.data.dedup import choice, notes, shingles
from regrow.data.dedup.choice import Choice
from regrow.data.dedup.held import HeldOut, collect
from regrow.data.dedup.notes import Note, Notes
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import distinct
from regrow.data.dedup.unwanted import Unwanted
from regrow.data.dedup.words import Forgetful, ForgetfulReader
from regrow.data.tables import parquet as tables
from regrow.data.tables import passes, stream
from regrow.data.tables.drops import drop_row
from regrow.data.tables.stream import Row, Schema
from regrow.params.data import Decontaminate

REPORT_EVERY = 2_000
_NEEDED = ("id", "url", "source", "text")


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Split `dedup/documents.parquet` into train.parquet and heldout.parquet; drops.parquet.

    The table may have any order; rows come out sorted by id and URL. One that is sorted so is read as it is, of
    another one a sorted copy is made first.

    Returns the counts of documents in, kept (for training), dropped by reason (`held_out` is
    one), and per domain the documents of both sets and how many of the held-out n-grams
    (page furniture left out) training still sees.

    Raises:
        ValueError: the table lacks a column, or an eval file is malformed.
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    p: Decontaminate = params.decontaminate
    path = inputs["dedup"] / "documents.parquet"
    schema = passes.schema(path, _NEEDED, "dedup")
    shingler = Forgetful(p.ngram)
    items = Unwanted(inputs, ForgetfulReader(shingler), p)
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        scratch = Path(name)
        table = passes.ordered(path, schema, ("id", "url"), scratch)
        chosen = choice.choose(table, p, scratch)
        held = collect(table, schema, chosen, p, shingler, output / "heldout.parquet")
        rest = chosen.documents.total() - len(held)
        print(
            f"decontaminate: {len(held)} held out, {len(items)} eval items and tasks, "
            f"{rest} documents to compare",
            file=sys.stderr,
            flush=True,
        )
        found = scratch / "notes"
        _look(table, chosen, held, items, p, found)
        held.leave_out_common(p.common_ngram)
        trained, reasons = _write(table, schema, held, p, found, output)
        conserved = [passes.ids(output / f"{part}.parquet") for part in ("train", "drops")]
        passes.conserved("decontaminate", "documents", passes.ids(table), *conserved)
    domains: dict[str, dict[str, int]] = {}
    for name in sorted(chosen.documents):
        ngrams, seen = held.ngrams(name)
        domains[name] = {
            "train": trained[name],
            "heldout": held.domains.count(name),
            "heldout_ngrams": ngrams,
            "heldout_ngrams_seen": seen,
        }
    return {
        "in": chosen.documents.total(),
        "kept": trained.total(),
        "dropped": dict(sorted(reasons.items())),
        "domains": domains,
    }


def _look(
    table: Path,
    chosen: Choice,
    held: HeldOut,
    items: Unwanted,
    params: Decontaminate,
    target: Path,
) -> None:
    """Look at every document: note what it shares with held-out ones, and whether it holds an item."""
    rest, row = chosen.documents.total() - len(held), 0
    sequences = Sequences(params.ngram)
    with Notes(target) as written:
        for document in stream.rows(table, ["url", "source", "text"]):
            if choice.group(document, choice.domain(document, params)) in chosen.groups:
                written.add(Note(held=True))
                continue
            if row and row % REPORT_EVERY == 0:
                print(f"decontaminate: {row} of {rest} documents", file=sys.stderr, flush=True)
            row += 1
            text = document["text"] or ""
            words = sequences.words(text)
            grams = distinct(shingles.grams(words, min(params.ngram, len(words))))
            hits = held.hits(grams)
            held.count(hits)
            if drop := items.find(text, words):
                written.add(Note(drop=drop))
            else:
                written.add(Note(size=len(grams), hits=hits))


def _write(
    table: Path, schema: Schema, held: HeldOut, params: Decontaminate, found: Path, output: Path
) -> tuple[Counter[str], Counter[str]]:
    """Write what is trained on and what is dropped; return counts by domain, and by reason."""
    trained: Counter[str] = Counter()
    limit = params.max_overlap
    with (
        stream.Writer(output / "train.parquet", {**schema, "domain": pl.String}) as train,
        _Drops(output / "drops.parquet") as drops,
    ):
        rows = stream.rows(table, list(schema))
        for document, note in zip(rows, notes.read(found), strict=True):
            domain = choice.domain(document, params)
            if note.held:
                drops.add(_row(document, "held_out", None, None, domain))
                continue
            if note.drop:
                drops.add(_row(document, *note.drop))
                continue
            value, which = held.overlap(note)
            if value > limit:
                drops.add(_row(document, "overlaps_heldout", value, limit, held.ids[which]))
                continue
            held.saw(note.hits)
            trained[domain] += 1
            train.add({**document, "domain": domain})
    return trained, drops.reasons


class _Drops:
    """Writes drops that come sorted by id; those of one id are sorted by reason and detail."""

    def __init__(self, path: Path) -> None:
        self.reasons: Counter[str] = Counter()
        self._writer = stream.Writer(path, tables.DROPS)
        self._same: list[Row] = []

    def __enter__(self) -> _Drops:
        self._writer.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._flush()
        self._writer.__exit__(kind, error, trace)

    def add(self, row: Row) -> None:
        if self._same and self._same[0]["id"] != row["id"]:
            self._flush()
        self._same.append(row)
        self.reasons[row["reason"]] += 1

    def _flush(self) -> None:
        for row in sorted(self._same, key=_place):
            self._writer.add(row)
        self._same = []


def _place(drop: Row) -> tuple[str, bool, str]:
    detail = drop["detail"]
    return drop["reason"], detail is None, detail or ""


def _row(
    document: Row,
    reason: str,
    value: float | None,
    threshold: float | None,
    detail: str | None,
) -> Row:
    return drop_row(
        "decontaminate", document["id"], document["url"], reason, value, threshold, detail
    )
