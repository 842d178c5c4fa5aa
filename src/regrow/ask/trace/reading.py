"""The stop at which a document of a source that the recipe names was read, or a row or file of it refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from regrow.ask.trace.stop import Stop
from regrow.data.sources.item import SCHEME
from regrow.evidence import corpora
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.selection import parse

TWICE = "recorded_twice"
_DROP = ("reason", "value", "threshold", "detail")


class Reading:
    """What the steps that read sources left."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.sources = corpora.stated(outputs.ledger.records)
        self.jobs = corpora.records(outputs.ledger.records)
        self.crawled = "crawl" in outputs.ledger.by_name or not self.sources

    def kept(self, source: str) -> Stop | None:
        """The stop of a document of that source; None where the crawl brought it."""
        entry = self.sources.get(source)
        if entry is None:
            return None
        return Stop(f"read_{source}", "kept", {"kind": entry["kind"], "origin": entry["origin"]})

    def dropped(self, id: str, url: str) -> Stop | None:
        """The stop of what was refused when a source was read; None where no table on disk holds it."""
        for record in self._may_hold(url):
            for row in self.outputs.find(record.name, "drops.parquet", "id", id, _DROP):
                return refused(record, row)
        return None

    def all_dropped(self) -> dict[str, Stop]:
        """The stop of everything that was refused, by id."""
        found: dict[str, Stop] = {}
        for record in self._here(self.jobs):
            table = self.outputs.table(record.name, "drops.parquet")
            rows = table.select("id", *_DROP).collect() if table is not None else None
            for row in rows.iter_rows(named=True) if rows is not None else ():
                found.setdefault(row["id"], refused(record, row))
        return found

    def _may_hold(self, url: str) -> Iterable[Record]:
        source = url.removeprefix(SCHEME).partition("/")[0] if url.startswith(SCHEME) else ""
        named = [record for record in self.jobs if record.step == f"read_{source}"]
        return self._here(named or self.jobs)

    def _here(self, jobs: Iterable[Record]) -> list[Record]:
        """Those whose tables are on disk: what the parts hold, `text` says too, but for the part."""
        return [job for job in jobs if (self.outputs.root / job.path / "drops.parquet").is_file()]

    def addresses(self, path: str) -> list[str]:
        """The addresses that the file at `path` has as a document: below each folder that a source names, one."""
        from regrow.data.sources.table import address

        found = []
        for name, entry in self.sources.items():
            for pattern in entry.get("files", ()):  # packages and lists of paths are fetched
                chosen = parse(pattern)
                below = path.removeprefix(f"{chosen.folder}/")
                if path == chosen.folder:
                    below = path.rpartition("/")[2]
                elif below == path or not chosen.matches(below):
                    continue
                found.append(address(name, below))
        return list(dict.fromkeys(found))


def refused(record: Record, row: dict[str, Any]) -> Stop:
    """The stop of a row of the drops of a part."""
    facts = {name: row[name] for name in _DROP if row.get(name) not in (None, "")}
    if record.instance is not None:
        facts["part"] = record.instance
    return Stop(record.step, "dropped", facts)
