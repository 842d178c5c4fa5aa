"""The decontaminate step: a hold-out set per domain, and no training document that overlaps it.

Held-out documents are measured by every checkpoint, so training must not see them, nor their
other versions (`regrow.data.dedup.holdout`), nor pages that share much of their text
(`regrow.data.dedup.overlap`), nor items of the evals in `evals/`, nor tasks of dev and test
(`regrow.data.dedup.items`).
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.dedup import evals, holdout
from regrow.data.dedup.items import Items, Reader, Said
from regrow.data.dedup.overlap import References, common
from regrow.data.dedup.shingles import Shingler
from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.params.data import Decontaminate

REPORT_EVERY = 2_000


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Split `dedup/documents.parquet` into train.parquet and heldout.parquet; drops.parquet.

    Returns the counts of documents in, kept (for training), dropped by reason (`held_out` is
    one), and per domain the documents of both sets and how many of the held-out n-grams
    (page furniture left out) training still sees.

    Raises:
        ValueError: the table lacks a column, or an eval file is malformed.
    """
    path = inputs["dedup"] / "documents.parquet"
    frame = tables.read(path)
    missing = {"id", "url", "source", "text"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path.name}: no column {sorted(missing)}; rerun the dedup step")
    frame = with_domains(frame.sort(["id", "url"]), params.decontaminate)
    is_held = _held_out(frame, params.decontaminate)
    heldout, rest = frame.filter(is_held), frame.filter(~is_held)

    shingler = Shingler(params.decontaminate.ngram)
    items = Unwanted(inputs, params.decontaminate)
    held_sets = [shingler.set(text or "") for text in heldout["text"]]
    every = References(held_sets)
    print(
        f"decontaminate: {len(heldout)} held out, {len(items)} eval items and tasks, "
        f"{len(rest)} documents to compare",
        file=sys.stderr,
        flush=True,
    )

    limit = params.decontaminate.max_overlap
    drops = [_row(held, "held_out", None, None, held["domain"]) for held in _rows(heldout)]
    clean: list[bool] = []
    sizes: list[int] = []
    hits: list[NDArray[np.uint64]] = []
    for row, (document, text) in enumerate(zip(_rows(rest), rest["text"], strict=True)):
        if row and row % REPORT_EVERY == 0:
            print(f"decontaminate: {row} of {len(rest)} documents", file=sys.stderr, flush=True)
        grams = shingler.set(text or "")
        sizes.append(len(grams))
        hits.append(every.seen(grams))
        found = items.find(text or "")
        clean.append(found is None)
        if found:
            drops.append(_row(document, *found))

    furniture = common(hits, params.decontaminate.common_ngram)
    held_sets = [np.setdiff1d(s, furniture, assume_unique=True) for s in held_sets]
    against_heldout = References(held_sets)
    seen: set[int] = set()
    for row, document in enumerate(_rows(rest)):
        if not clean[row]:
            continue
        value, held = against_heldout.overlap(hits[row], sizes[row])
        if value > limit:
            clean[row] = False
            drops.append(_row(document, "overlaps_heldout", value, limit, heldout["id"][held]))
        else:
            seen.update(against_heldout.seen(hits[row]).tolist())
    train = rest.filter(pl.Series(clean, dtype=pl.Boolean))

    tables.write(train, output / "train.parquet")
    tables.write(heldout, output / "heldout.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
    domains: dict[str, dict[str, int]] = {}
    for name in sorted(set(frame["domain"])):
        mine = [s for s, d in zip(held_sets, heldout["domain"], strict=True) if d == name]
        domains[name] = {
            "train": train.filter(pl.col("domain") == name).height,
            "heldout": len(mine),
            "heldout_ngrams": sum(map(len, mine)),
            "heldout_ngrams_seen": sum(gram in seen for s in mine for gram in s.tolist()),
        }
    conserved("decontaminate", "documents", frame["id"], train["id"], [str(d["id"]) for d in drops])
    reasons = Counter(str(row["reason"]) for row in drops)
    return {
        "in": len(frame),
        "kept": len(train),
        "dropped": dict(sorted(reasons.items())),
        "domains": domains,
    }


class Unwanted:
    """The items of the evals and the tasks of dev and test, and why a text that holds one goes."""

    def __init__(self, inputs: dict[str, Path], params: Decontaminate) -> None:
        self._reader = Reader()
        self._items, self._tasks = (
            Items(found, self._reader, params.ngram, params.max_overlap)
            for found in (evals.load(inputs["evals"]), evals.tasks(inputs["tasks"]))
        )

    def __len__(self) -> int:
        return len(self._items) + len(self._tasks)

    def find(self, text: str) -> tuple[str, float, float, str] | None:
        """(reason, value, threshold, detail) of a drop, or None."""
        said: Said = self._reader.read(text)
        if hit := self._items.find(said):
            reason = "quotes_eval" if hit.quote else "overlaps_eval"
        elif hit := self._tasks.find(said):
            reason = "holds_task"
        else:
            return None
        return reason, hit.value, hit.threshold, hit.id


def with_domains(frame: pl.DataFrame, params: Decontaminate) -> pl.DataFrame:
    """The table with the column `domain`."""
    names = [
        holdout.domain(url or "", source or "", params.domains)
        for url, source in zip(frame["url"], frame["source"], strict=True)
    ]
    return frame.with_columns(pl.Series("domain", names, pl.String))


def _held_out(frame: pl.DataFrame, params: Decontaminate) -> pl.Series:
    names = [
        holdout.group(url or "", domain)
        for url, domain in zip(frame["url"], frame["domain"], strict=True)
    ]
    sizes: dict[str, Counter[str]] = {}
    for name, domain in zip(names, frame["domain"], strict=True):
        sizes.setdefault(domain, Counter())[name] += 1
    chosen: set[str] = set()
    for groups in sizes.values():
        chosen |= holdout.choose(groups, params.heldout_share, params.heldout_min, params.seed)
    return pl.Series([name in chosen for name in names], dtype=pl.Boolean)


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.select("id", "url", "domain").to_dicts()


def _row(
    document: dict[str, Any],
    reason: str,
    value: float | None,
    threshold: float | None,
    detail: str | None,
) -> dict[str, object]:
    return {
        "id": document["id"],
        "url": document["url"],
        "step": "decontaminate",
        "reason": reason,
        "value": value,
        "threshold": threshold,
        "detail": detail,
    }
