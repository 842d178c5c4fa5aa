"""The steps that gather what was read and filtered in parts: the same tables however many parts there were."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regrow.data.sources import table
from regrow.data.tables import passes, stream
from regrow.data.tables.conservation import balanced
from regrow.data.tables.drops import drop_row
from regrow.data.tables.parquet import DROPS
from regrow.data.tables.stream import Row


def text(
    inputs: Mapping[str, Path], params: Any, output: Path, *, sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Gather all parts of all sources into `documents.parquet` and `drops.parquet`.

    A document that is there several times, with one address and one content, is kept once; the others are dropped
    (`recorded_twice`).

    Args:
        inputs: folders that `regrow.data.sources.step` or `regrow.data.text.step` filled, as `<source>.<part>`.
        sources: name, kind, licence and origin of each source, for the record and the cards.

    Raises:
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    found = _Gathered()
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        scratch = Path(name)
        again = stream.Runs(DROPS, table.DROP_KEYS, scratch, "repeated")
        with stream.Writer(output / "documents.parquet", table.DOCUMENTS) as writer:
            for row, repeated in _once(_merged(inputs, "documents", table.DOCUMENT_KEYS, scratch)):
                found.came[row["source"]] += 1
                if repeated:
                    again.add(drop_row("text", row["id"], row["url"], "recorded_twice"))
                    found.repeated += 1
                    continue
                found.keep(row)
                writer.add(row)
        with stream.Writer(output / "drops.parquet", DROPS) as drops:
            parts = [*_files(inputs, "drops"), *again.files()]
            for row in stream.merged(parts, table.DROP_KEYS, scratch):
                found.dropped[row["reason"]] += 1
                drops.add(row)
    earlier = sum(found.dropped.values()) - found.repeated
    came = sum(found.came.values()) + earlier
    balanced("text", "rows", came, kept=found.kept, dropped=sum(found.dropped.values()))
    _say_unknown(found)
    return {"in": came, "kept": found.kept, "bytes": found.bytes, **found.counts()}


def filtered(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Gather the filtered parts of all sources into `documents.parquet` and `drops.parquet`, each document once.

    A page that was read with several charsets or types has several texts under one id. It is kept if one of them is;
    of these the one whose columns `text` would put first.

    Args:
        inputs: `text`, the record of the step `text`, and folders that `regrow.data.filters.step` filled, as
            `<source>.<part>`.

    Raises:
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    came = int(json.loads(inputs["text"].read_text(encoding="utf-8"))["counts"]["kept"])
    parts = {name: path for name, path in inputs.items() if name != "text"}
    reasons: Counter[str] = Counter()
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        scratch = Path(name)
        schema = stream.schema_of(_files(parts, "documents"))
        with stream.Writer(output / "documents.parquet", schema) as writer:
            for _, same in groupby(_merged(parts, "documents", table.DOCUMENT_KEYS, scratch), _id):
                writer.add(min(same, key=_as_read))
        with stream.Writer(output / "drops.parquet", DROPS) as drops:
            kept = passes.ids(output / "documents.parquet")
            for row in _others(_merged(parts, "drops", table.DROP_KEYS, scratch), kept):
                reasons[row["reason"]] += 1
                drops.add(row)
    balanced("filter", "documents", came, kept=writer.rows, dropped=drops.rows)
    return {"in": came, "kept": writer.rows, "dropped": dict(sorted(reasons.items()))}


@dataclass
class _Gathered:
    came: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    charsets: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    repeated: int = 0
    bytes: int = 0

    def keep(self, row: Row) -> None:
        self.kept += 1
        self.bytes += len(row["text"].encode())
        self.documents[row["source"]] += 1
        self.licences[row["licence"]] += 1
        self.charsets[row["charset"]] += 1

    def counts(self) -> dict[str, Any]:
        named = ("dropped", "licences", "charsets", "documents")
        return {name: dict(sorted(getattr(self, name).items())) for name in named}


def _say_unknown(found: _Gathered) -> None:
    if unknown := found.licences["unknown"]:
        share = 100 * unknown / max(1, found.kept)
        print(
            f"text: warning: the licence of {unknown:,} documents ({share:.1f} %) is unknown, as their sources say; every "
            "card counts them.",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def _once(rows: Iterator[Row]) -> Iterator[tuple[Row, bool]]:
    """Rows sorted by id, each with whether one of that id came before."""
    last = None
    for row in rows:
        yield row, row["id"] == last
        last = row["id"]


def _id(row: Row) -> str:
    return str(row["id"])


def _as_read(row: Row) -> str:
    """The order of `regrow.data.tables.stream.merged` before there were the columns of the filters."""
    there = {name: row[name] for name in table.DOCUMENTS if row.get(name) is not None}
    return json.dumps(there, sort_keys=True, ensure_ascii=False)


def _others(drops: Iterator[Row], kept: Iterator[str]) -> Iterator[Row]:
    """The first drop of each id that is not kept; both are sorted by id."""
    held = next(kept, None)
    for own, same in groupby(drops, _id):
        while held is not None and held < own:
            held = next(kept, None)
        if held != own:
            yield next(same)


def _merged(
    inputs: Mapping[str, Path], name: str, keys: Sequence[str], scratch: Path
) -> Iterator[Row]:
    return stream.merged(_files(inputs, name), keys, scratch)


def _files(inputs: Mapping[str, Path], name: str) -> list[Path]:
    return [path / f"{name}.parquet" for _, path in sorted(inputs.items())]
