"""The tables that the steps left on disk, read where they are there, or where git carries them.

`published/` in git holds small results of runs that the demo does not repeat, such as the
evaluations under further seeds (docs/evaluation.md): their bytes count only where they are those
of the record.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from regrow.flow.hashing import sha256_file
from regrow.lineage.ledger import Ledger
from regrow.lineage.trust import checked

PUBLISHED = "published"
"""folder of results that git carries, by job"""


class Shelf:
    """Tables of the flow by step; remembers which folders were asked for and are not on disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.root = ledger.root
        self.missing: set[str] = set()
        self._checked: dict[tuple[str, str], Path] = {}

    def path(self, name: str, file: str) -> Path | None:
        """The file of a job (`dedup`, `pretrain.000120`), None where it is not on disk (or was never made).

        Raises:
            Unanswerable: it holds other bytes than the record says.
        """
        record = self.ledger.by_name.get(name)
        if record is None:
            return None
        if (name, file) in self._checked:
            return self._checked[name, file]
        for entry in record.files:
            if entry["path"] == file:
                if (self.root / record.path / file).is_file():
                    path = self._checked[name, file] = checked(self.root, record, entry)
                    return path
                kept = self.root / PUBLISHED / name / file
                if kept.is_file() and sha256_file(kept) == entry["sha256"]:
                    return kept
                self.missing.add(record.path)
        return None

    def table(self, name: str, file: str) -> pl.LazyFrame | None:
        """A table of a job, read lazily."""
        path = self.path(name, file)
        return None if path is None else pl.scan_parquet(path)

    def rows(
        self, name: str, file: str, where: pl.Expr, columns: list[str]
    ) -> list[dict[str, Any]]:
        """Rows of a table, as dicts of those `columns` that it has; [] where it is not on disk."""
        frame = self.table(name, file)
        if frame is None:
            return []
        have = frame.collect_schema().names()
        if not set(where.meta.root_names()) <= set(have):
            return []
        return frame.filter(where).select([c for c in columns if c in have]).collect().to_dicts()

    def json(self, name: str, file: str) -> Any:
        """A JSON file of a job, None where it is not on disk."""
        path = self.path(name, file)
        return None if path is None else json.loads(path.read_text(encoding="utf-8"))

    def hint(self) -> str:
        """How to get what was missing, "" where nothing was."""
        if not self.missing:
            return ""
        folders = sorted(self.missing)
        return f"not on disk: {', '.join(folders)}. Fetch with `dvc pull {' '.join(folders)}`."
