"""The data steps that a document passes, by name, and the tables that say what each of them did."""

from __future__ import annotations

import re
from dataclasses import dataclass

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

STEPS = (
    "crawl", "text", "withdraw", "filter", "dedup", "decontaminate", "classify", "mix", "pack",
)  # fmt: skip
"""in the order of the flow; a recipe may do without some. The tokenizer drops nothing: it reads a sample of the mix"""
_KEPT = {
    "crawl": "fetches.parquet",
    "decontaminate": "train.parquet",
    "classify": "scores.parquet",
    "mix": "mix.parquet",
    "pack": "index.parquet",
}
DROPS = "drops.parquet"
APART = ("crawl",)
"""steps whose documents are counted otherwise than those of the next: `text` reads every record of the archives, error
pages and those of other crawlers included"""
ALL = "(all reasons)"
HELD_OUT = "held_out"
"""the reason that is no loss: kept apart for evaluation"""


@dataclass(frozen=True)
class Passed:
    """A step of the funnel: its records, several where it has instances."""

    name: str
    records: tuple[Record, ...]

    @property
    def file(self) -> str:
        """The table of what it kept."""
        return _KEPT.get(self.name, "documents.parquet")

    def tables(self, record: Record, file: str) -> list[str]:
        """The files of a record that are a table: itself, or its parts (`documents-0001.parquet`, `documents/0001.parquet`)."""
        stem = re.escape(file.removesuffix(".parquet"))
        pattern = re.compile(rf"{stem}(?:[-_./][^/]*)?\.parquet")
        return sorted(str(e["path"]) for e in record.files if pattern.fullmatch(str(e["path"])))

    @property
    def has_drops(self) -> bool:
        """Whether it writes a table of drops."""
        return any(self.tables(record, DROPS) for record in self.records)

    def count(self, *names: str) -> int | None:
        """The sum of counts of its records, None where one of them does not say the first."""
        if any(not isinstance(record.counts.get(names[0]), int) for record in self.records):
            return None
        return sum(int(record.counts.get(name) or 0) for record in self.records for name in names)

    def dropped(self) -> dict[str, int]:
        """Reason -> documents, by its records; `ALL` where a record says their number alone."""
        found: dict[str, int] = {}
        for record in self.records:
            said = record.counts.get("dropped")
            for reason, number in (said if isinstance(said, dict) else {ALL: said}).items():
                if isinstance(number, int):
                    found[str(reason)] = found.get(str(reason), 0) + number
        return dict(sorted(found.items()))


def passed(ledger: Ledger) -> list[Passed]:
    """The steps of the funnel that have records."""
    found = [Passed(name, tuple(ledger.of_step(name))) for name in STEPS]
    return [step for step in found if step.records]
