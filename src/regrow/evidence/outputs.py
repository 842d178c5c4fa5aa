"""The tables that the steps left on disk, read where they are there, or where git carries them.

`published/` in git holds small results of runs that the demo does not repeat, such as the
evaluations under further seeds (docs/concepts/evaluation.md): their bytes count only where they are those
of the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.engine.hashing import sha256_file
from regrow.evidence.ledger import Ledger
from regrow.evidence.lookup.ask import Lookup
from regrow.evidence.record import Record
from regrow.evidence.trust import checked

if TYPE_CHECKING:
    import polars as pl

DOCUMENTS = (("text", "documents.parquet"), ("decontaminate", "train.parquet"))
"""where documents have their address, title and text: all of them, and those for training, which
are what git carries (`publish.store`)"""
PUBLISHED = "published"
"""folder of results that git carries, by job"""


class Outputs:
    """Tables and files that steps wrote, by job; remembers which folders were asked for and are not on disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.root = ledger.root
        self.missing: set[str] = set()
        self._paths: dict[tuple[str, str], Path] = {}

    def path(self, name: str, file: str) -> Path | None:
        """The file of a job (`dedup`, `pretrain.000120`), None where it is not on disk (or was never made).

        Raises:
            Unanswerable: it holds other bytes than the record says.
        """
        found = self._paths.get((name, file)) or self._path(name, file)
        if found is not None:
            self._paths[name, file] = found
        return found

    def _path(self, name: str, file: str) -> Path | None:
        record = self.ledger.by_name.get(name)
        if record is None:
            return None
        for entry in record.files:
            if entry["path"] == file:
                if (self.root / record.path / file).is_file():
                    return checked(self.root, record, entry)
                kept = self.root / PUBLISHED / name / file
                if kept.is_file() and sha256_file(kept) == entry["sha256"]:
                    return kept
                if twin := self._twin(entry["sha256"]):
                    return twin
                self.missing.add(record.path)
        return None

    def _twin(self, sha256: str) -> Path | None:
        """Another artifact's file with this content, where one is on disk: a release holds its checkpoint's."""
        for record, entry in self._by_content.get(sha256, ()):
            if (self.root / record.path / entry["path"]).is_file():
                return checked(self.root, record, entry)
        return None

    @cached_property
    def _by_content(self) -> dict[str, list[tuple[Record, dict[str, Any]]]]:
        found: dict[str, list[tuple[Record, dict[str, Any]]]] = {}
        for record in self.ledger.records:
            for entry in record.files:
                found.setdefault(entry["sha256"], []).append((record, entry))
        return found

    @cached_property
    def documents(self) -> tuple[str, str]:
        """The first of `DOCUMENTS` that is on disk; the first of all where none is."""
        return next((t for t in DOCUMENTS if self.path(*t) is not None), DOCUMENTS[0])

    def table(self, name: str, file: str) -> pl.LazyFrame | None:
        """A table of a job, read lazily."""
        import polars as pl

        path = self.path(name, file)
        return None if path is None else pl.scan_parquet(path, glob=False)

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

    @cached_property
    def lookup(self) -> Lookup:
        """What answers without reading tables."""
        return Lookup(self.root)

    def find(
        self, name: str, file: str, column: str, value: str | int, columns: Iterable[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows (brief, see `lookup.table`) whose `column` is `value`, with those of `columns` that they have.

        [] where the table is not on disk or has no such column. Costs a few reads at any size.
        """
        path = self.path(name, file)
        return [] if path is None else picked(self.lookup.equal(path, column, value), columns)

    def find_all(
        self, name: str, file: str, column: str, values: Iterable[str], columns: Iterable[str] = ()
    ) -> dict[str, list[dict[str, Any]]]:
        """`find` of many values at once, by value; read together, so faster than one after the other."""
        wanted, names = set(values), tuple(columns)
        path = self.path(name, file) if wanted else None
        if path is None:
            return {value: [] for value in wanted}
        found = self.lookup.equals(path, column, wanted)
        return {value: picked(rows, names) for value, rows in found.items()}

    def begins(
        self, name: str, file: str, column: str, prefix: str, columns: Iterable[str] = ()
    ) -> list[dict[str, Any]]:
        """As `find`, rows whose `column` begins with `prefix`."""
        path = self.path(name, file)
        return [] if path is None else picked(self.lookup.begins(path, column, prefix), columns)

    def json(self, name: str, file: str) -> Any:
        """A JSON file of a job, None where it is not on disk."""
        path = self.path(name, file)
        return None if path is None else json.loads(path.read_text(encoding="utf-8"))

    def hint(self) -> str:
        """How to get what was missing; "" where nothing was. Repetitions under other seeds, which a plain run
        does not make, are only counted, and stand last."""
        if not self.missing:
            return ""
        # The table of steps is loaded for the few questions that lack something.
        from regrow.engine.present import command
        from regrow.evidence.left_over import grown_under
        from regrow.recipe.table import is_repetition

        aside = sorted(path for path in self.missing if is_repetition(path.split("/")[1]))
        folders = sorted(self.missing - set(aside))
        said = []
        if folders:
            names = (
                f"{', '.join(folders)}. Fetch with `dvc pull {' '.join(folders)}` where a remote has "
                f"them; `{command(grown_under(self.ledger))}` builds them."
            )
            said.append(f"not on disk: {names}")
        if aside:
            steps = sorted({path.split("/")[1] for path in aside})
            said.append(
                f"not looked at: repetitions under other seeds ({', '.join(steps)}), which are not here; "
                "`snakemake --cores all seeds` makes them."
            )
        return " ".join(said)


def picked(rows: list[dict[str, Any]], columns: Iterable[str]) -> list[dict[str, Any]]:
    """Rows with those of `columns` that they have; with all where none is named."""
    names = list(columns)
    return [{c: row[c] for c in names if c in row} for row in rows] if names else rows
