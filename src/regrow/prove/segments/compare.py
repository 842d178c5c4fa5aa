"""A rerun against what was published: link by link, and where a checkpoint is reached, every file."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet
from regrow.engine.hashing import sha256_file
from regrow.evidence.record import Record
from regrow.learn.rl import table
from regrow.learn.train import checkpoint, digest
from regrow.prove.segments.units import Span
from regrow.prove.segments.verified_files import VerifiedFiles

TABLES = (checkpoint.METRICS, table.FILE)
"""tables with a row per step or per rollout, which a rerun to a step in between has in part"""


@dataclass
class Compared:
    """What a rerun said."""

    name: str
    """of the checkpoint that the span leads to"""
    begin: int
    end: int
    links: int = 0
    """compared"""
    step: int | None = None
    """of the first link that differs"""
    tensors: list[str] = field(default_factory=list)
    """that differ there; none: only the position does (tokens, updates, skip window)"""
    files: list[str] = field(default_factory=list)
    """of the checkpoint, that differ (or whose rows up to `end` do)"""
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """All of it is as published."""
        return self.step is None and not self.files

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "equal": self.equal}


def span(verified: VerifiedFiles, which: Span, begin: int, end: int, made: Path) -> Compared:
    """Compare the rerun in `made`, of the steps after `begin` up to `end`, with its span."""
    found = Compared(which.name, begin, end)
    fresh = {item["step"]: item for item in digest.read(made / checkpoint.DIGESTS)}
    expected = [item for item in which.links if begin < item["step"] <= end]
    for item in expected:
        found.links += 1
        mine = fresh.get(item["step"])
        if mine is None or mine["digest"] != item["digest"] or mine["chain"] != item["chain"]:
            found.step = item["step"]
            names = item["tensors"].keys() | (mine or item)["tensors"].keys()
            found.tensors = sorted(
                name
                for name in names
                if mine is None or mine["tensors"].get(name) != item["tensors"].get(name)
            )
            break
    if (begin, end) == (which.begin, which.end):
        found.files = files(which.record, made)
    else:
        for name in TABLES:
            if (made / name).exists() and not _rows_equal(verified, which, begin, end, made, name):
                found.files.append(name)
    return found


def files(record: Record, made: Path) -> list[str]:
    """Files of a rebuilt checkpoint that do not have the recorded bytes, or are too many or too few."""
    recorded = {entry["path"]: entry["sha256"] for entry in record.files}
    fresh = {
        path.relative_to(made).as_posix(): sha256_file(path)
        for path in sorted(made.rglob("*"))
        if path.is_file()
    }
    return sorted(n for n in recorded.keys() | fresh.keys() if recorded.get(n) != fresh.get(n))


def _rows_equal(
    verified: VerifiedFiles, which: Span, begin: int, end: int, made: Path, name: str
) -> bool:
    inside = pl.col("step").is_between(begin + 1, end)
    published, fresh = (
        _bytes(parquet.read(path).filter(inside))
        for path in (verified.file(which.record, name), made / name)
    )
    return published == fresh


def _bytes(frame: pl.DataFrame) -> bytes:
    """Equal rows, equal bytes (`equals` takes -0.0 for 0.0).

    The rows are laid out again: what a filter leaves of lists keeps traces of what it took away.
    """
    target = io.BytesIO()
    fresh = pl.DataFrame(frame.to_dicts(), schema=frame.schema)
    fresh.write_parquet(target, compression="uncompressed", statistics=False)
    return target.getvalue()
