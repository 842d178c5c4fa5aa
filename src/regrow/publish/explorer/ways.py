"""The stops of every document, from the tables read once: what `trace.journey` says of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from regrow.ask.trace import forks, takedowns
from regrow.ask.trace.made import later, mixes
from regrow.ask.trace.match import Match
from regrow.ask.trace.reading import TWICE, Reading
from regrow.ask.trace.stop import Outcome, Stop
from regrow.data.crawl.rows import SOURCES
from regrow.evidence.outputs import Outputs

_DROP = ("reason", "value", "threshold", "detail")
_TEXT = ("host", "mime", "charset")
_MIX = ("topic", "quality", "percentile", "bucket", "rate", "repeats")
COPIES = 8
"""ids of dropped copies that a document names"""


class _Table:
    """A table by id, one row each; `here` says whether it is on disk."""

    def __init__(
        self, outputs: Outputs, job: str, file: str, columns: Iterable[str], key: str = "id"
    ):
        frame = outputs.table(job, file)
        self.here = frame is not None
        self.rows: dict[str, dict[str, Any]] = {}
        if frame is None:
            return
        have = frame.collect_schema().names()
        wanted = [pl.col(c) for c in dict.fromkeys([key, *columns]) if c in have]
        if "characters" in columns and "text" in have:
            wanted.append(pl.col("text").str.len_chars().alias("characters"))
        for row in frame.select(wanted).collect().iter_rows(named=True):
            if row[key] is not None:
                self.rows.setdefault(row[key], row)

    def facts(self, id: str, columns: Iterable[str]) -> dict[str, Any]:
        """What the row of `id` says, without what it leaves empty."""
        row = self.rows.get(id, {})
        return {c: row[c] for c in columns if row.get(c) not in (None, "")}


class Ways:
    """The tables that the stops come from."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        about = (*_TEXT, "url", "title", "source", "licence", "text", "characters")
        self.text = _Table(outputs, "text", "documents.parquet", about)
        language = ("language", "language_score", "characters")
        self.filter = _Table(outputs, "filter", "documents.parquet", language)
        self.dedup = _Table(outputs, "dedup", "documents.parquet", ("characters",))
        self.train = _Table(outputs, "decontaminate", "train.parquet", ("domain", "source"))
        self.held = _Table(outputs, "decontaminate", "heldout.parquet", ("domain", "source"))
        scores = ("topic", "topic_score", "quality")
        self.classify = _Table(outputs, "classify", "scores.parquet", scores)
        self.mix = _Table(outputs, "mix", "mix.parquet", _MIX)
        self.drops = {
            step: _Table(outputs, step, "drops.parquet", ("url", *_DROP))
            for step in ("text", "filter", "dedup", "decontaminate", "mix")
        }
        self.fetches, self.crawled = self._crawl()
        self.reading = Reading(outputs)
        self.refused = self.reading.all_dropped()
        self.again = self._again()
        self.copies: dict[str, list[str]] = {}
        for id, row in sorted(self.drops["dedup"].rows.items()):
            if row.get("detail"):
                self.copies.setdefault(row["detail"], []).append(id)
        self.parents: dict[str, dict[str, str]] = {}
        self.mixes = mixes(outputs.ledger)
        self.later = later(outputs.ledger)
        self.made = {job: self._made(job) for job in self.mixes}
        self.left = {job: _Table(outputs, job, "drops.parquet", _DROP) for job in self.mixes}
        self.own = {
            row["id"]: row
            for _, path in forks.tables(outputs)
            for row in pl.read_parquet(path, glob=False).iter_rows(named=True)
        }
        """documents that forks brought"""

    def _crawl(self) -> tuple[dict[str, dict[str, Any]], bool]:
        columns = ["url", "host", "status", "mime", "bytes", "depth", "outcome", "detail"]
        frame = self.outputs.table("crawl", "fetches.parquet")
        if frame is None:
            return {}, False
        found: dict[str, dict[str, Any]] = {}
        have = frame.collect_schema().names()
        rows = frame.select([c for c in columns if c in have]).collect()
        for row in rows.iter_rows(named=True):
            if row.get("outcome") in SOURCES:
                continue  # a file or a host of the manifest, no address
            # As in trace: of several meetings the (first) fetched one is the document's, else the last.
            if found.get(row["url"], {}).get("outcome") != "fetched":
                found[row["url"]] = row
        return found, True

    def _made(self, job: str) -> dict[str, list[dict[str, Any]]]:
        """Document -> rows of a later mix that are it or were made of it, sorted by id."""
        columns = ["id", "component", "source", "generator", "licence", "parent"]
        frame = self.outputs.table(job, "documents.parquet")
        found: dict[str, list[dict[str, Any]]] = {}
        self.parents[job] = {}
        if frame is None:
            return found
        have = frame.collect_schema().names()
        rows = frame.select([c for c in columns if c in have]).sort("id").collect()
        for row in rows.iter_rows(named=True):
            parent = row.get("parent")
            if parent:
                self.parents[job][row["id"]] = parent
            for owner in dict.fromkeys([row["id"], parent]):
                if owner:
                    found.setdefault(owner, []).append(row)
        return found

    def owners(self, job: str, id: str) -> tuple[str, ...]:
        """The documents that `id` in the stream of `job` is, or was made from."""
        parent = self.parents.get(job, {}).get(id)
        return (id,) if parent in (None, id) else (id, str(parent))

    def stops(self, id: str | None, url: str) -> list[Stop]:
        """See trace.journey."""
        if id in self.own:
            stops = forks.journey(self.outputs, Match(id, url))
            return stops if stops[-1].outcome != "kept" else [*stops, *self._mixes(str(id))]
        stops, lost = self._begun(id, url)
        if id is None or lost:
            return stops
        before = None
        for step, table, columns in (
            ("text", self.text, (*_TEXT, "characters")),
            ("filter", self.filter, ("language", "language_score", "characters")),
            ("dedup", self.dedup, ("characters",)),
        ):
            if step not in self.outputs.ledger.by_name:
                return stops  # the page is about something earlier
            if id not in table.rows:
                stops.append(self._dropped(step, id) or _absent(step, table.here))
                if stops[-1].outcome == "dropped":
                    return stops
                continue
            facts = table.facts(id, columns)
            if before is not None and facts.get("characters") != before:
                facts["characters_before"] = before
            before = facts.get("characters", before)
            if step == "text" and (gone := takedowns.withdrawn(self.outputs, id)):
                return [*stops, Stop("text", "kept", facts), gone]
            if step == "text" and id in self.again:
                facts[TWICE] = self.again[id]
            if step == "dedup" and id in self.copies:
                facts["copies"] = len(self.copies[id])
                facts["copies_dropped"] = self.copies[id][:COPIES]
            stops.append(Stop(step, "kept", facts))
        return self._later(id, stops)

    def _later(self, id: str, stops: list[Stop]) -> list[Stop]:
        if "decontaminate" not in self.outputs.ledger.by_name:
            return stops
        if id in self.train.rows:
            stops.append(Stop("decontaminate", "kept", self.train.facts(id, ("domain",))))
        elif id in self.held.rows:
            return [*stops, Stop("decontaminate", "held out", self.held.facts(id, ("domain",)))]
        else:
            gone = self._dropped("decontaminate", id)
            stops.append(gone or _absent("decontaminate", self.train.here))
            if gone:
                return stops
        if id in self.classify.rows:
            columns = ("topic", "topic_score", "quality")
            stops.append(Stop("classify", "kept", self.classify.facts(id, columns)))
        gone = self._dropped("mix", id)
        facts = self.mix.facts(id, _MIX)
        if gone:
            stops.append(Stop("mix", "dropped", {**facts, **gone.facts}))
        elif id in self.mix.rows:
            stops.append(Stop("mix", "kept", facts))
        return [*stops, *self._mixes(id)]

    def _mixes(self, id: str) -> list[Stop]:
        stops = []
        for job in self.mixes:
            by: dict[str, list[dict[str, Any]]] = {}
            for row in self.made[job].get(id, []):
                by.setdefault(str(row.get("component", "")), []).append(row)
            for component, rows in sorted(by.items()):
                facts: dict[str, Any] = {"component": component}
                if len(rows) > 1 or rows[0]["id"] != id:
                    facts["documents"] = len(rows)
                stops.append(Stop(job, "kept", facts))
            if id in self.left[job].rows:
                facts = self.left[job].facts(id, _DROP)
                stops.append(Stop(job, "dropped", facts, later=job in self.later))
        return [*stops, *takedowns.stops(self.outputs, id)]

    def _begun(self, id: str | None, url: str) -> tuple[list[Stop], bool]:
        """See trace.journey."""
        if not self.reading.sources or id is None:
            return [self._fetched(url)], False
        for table in (self.text, self.train, self.held):
            if kept := self.reading.kept(str(table.rows.get(id, {}).get("source"))):
                return [kept], False
        if id in self.refused:
            return [self.refused[id]], True
        return ([self._fetched(url)] if self.reading.crawled else []), False

    def _again(self) -> dict[str, int]:
        """Document -> how often it was there besides, with the same address and content."""
        frame = self.outputs.table("text", "drops.parquet")
        if frame is None:
            return {}
        rows = frame.filter(pl.col("reason") == TWICE).group_by("id").len().collect()
        return dict(rows.iter_rows())

    def _fetched(self, url: str) -> Stop:
        row = self.fetches.get(url)
        if row is None:
            if not self.crawled:
                return Stop("crawl", "unknown")
            return Stop("crawl", "kept", {"origin": "a WARC file among the sources"})
        facts = {k: v for k, v in row.items() if v not in (None, "") and k != "url"}
        return Stop("crawl", "kept" if row["outcome"] == "fetched" else "dropped", facts)

    def _dropped(self, step: str, id: str) -> Stop | None:
        table = self.drops[step]
        return Stop(step, "dropped", table.facts(id, _DROP)) if id in table.rows else None


def _absent(step: str, here: bool) -> Stop:
    outcome: Outcome = "missing" if here else "unknown"
    return Stop(step, outcome)
