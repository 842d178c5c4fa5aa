"""What the records say about the present: which jobs are current, and what the others will do.

`reconcile` and `regrow plan` both ask here. Nothing is written except memories: of digests, of parsed code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from regrow.engine import actions, definition, witness
from regrow.engine.changes import Change, changes
from regrow.engine.definition import key_of
from regrow.engine.jobs import Job, job_of
from regrow.engine.names import shown
from regrow.engine.present import Present
from regrow.engine.records import Book, Record, input_part, is_of
from regrow.engine.remote import Remote, identity
from regrow.engine.store import Store
from regrow.engine.workspace import Workspace, compare

READ_LIMIT = 4_000_000_000
"""bytes of unknown files that are read at the start of a run; the rest is verified on use"""

Action = Literal["current", "restore", "hit", "run", "follow", "aside"]


@dataclass
class Verdict:
    """What will happen to a job.

    current: nothing; restore: a file that people ask for is fetched from cache or remote;
    hit: the record is stale, but the key is known; run: the function runs;
    follow: something upstream runs, and this runs unless its inputs come out equal;
    aside: nobody asks for it (a repetition under another seed).
    """

    job: Job
    action: Action = "current"
    stale: bool = False
    """the record does not describe the present, or its data is needed and nowhere to be found"""
    reasons: list[Change] = field(default_factory=list)
    workspace: Workspace = field(default_factory=Workspace)
    key: str | None = None
    """the key it will have, if that is known before anything runs"""


class Assessment:
    """All verdicts, in flow order."""

    def __init__(
        self,
        present: Present,
        read_limit: int = READ_LIMIT,
        groups: Collection[str] = ("main",),
    ) -> None:
        self.present = present
        self.groups = groups
        self.store = Store(present.root)
        self.remote = Remote(self.store)
        self.book = Book(present.root)
        self._lookups: dict[tuple[str, str], Record | None] = {}
        jobs = present.jobs.values()
        self.doubts, self.confirmed = witness.doubts(present.root, self.store, self.book, jobs)
        budget = [read_limit]
        self.verdicts: dict[str, Verdict] = {}
        for job in present.jobs.values():
            verdict = self.verdicts[job.name] = Verdict(job)
            record = self.book.record(job)
            if record is not None:
                verdict.workspace = compare(present.root, record, budget)
            verdict.reasons = self._own_changes(job, record, verdict.workspace)
            verdict.stale = bool(verdict.reasons)
        self._demand()
        present.save()

    def _own_changes(self, job: Job, record: Record | None, workspace: Workspace) -> list[Change]:
        if record is None:
            if (self.present.root / job.record).exists():
                return [Change("trust", f"{job.record} {self.book.fault(job)}")]
            return [Change("record", "it has no record")]
        # Inputs: against the records of the producers as they are; a missing one says nothing yet.
        inputs = {}
        for item in job.inputs:
            sha = self._input(item.kind, item.path, self._recorded(item.job))
            inputs[item.name] = sha or record["parts"]["inputs"].get(item.name, "")
        parts = self.present.parts(job, inputs)
        found = changes(record["parts"], parts)
        if aged := definition.aged(record):
            found.insert(0, Change("definition", aged))
        if job.name in self.doubts:
            found.append(Change("trust", self.doubts[job.name].text))
        elif moved := self._moved(job, record):
            found += moved
        elif not found and (record["parts"] != parts or record["inputs"] != input_part(job)):
            text = f"{job.record} says of code or inputs what its key does not stand for"
            found.append(Change("trust", text))
        # Snakemake leaves a target that is there alone, though a file that it was made from is missing.
        found += [
            Change("record", f"{up}, which it is made from, has no record")
            for up in sorted(set(job.upstream))
            if self.book.record(self.present.jobs[up]) is None
        ]
        names = sorted(workspace.differing) + sorted(workspace.extra)
        sha256 = {entry["path"]: entry["sha256"] for entry in record["output"]["files"]}
        for name in names:
            text = f"{job.data}/{shown(name)} is not in its record"
            if name in workspace.differing:
                text = (
                    f"{job.data}/{name} differs from its record: expected sha256 {sha256[name]}, "
                    f"found {workspace.differing[name]}"
                )
            found.append(Change("output", text))
        return found

    def _moved(self, job: Job, record: Record) -> list[Change]:
        """Inputs that another job makes now (a takedown's, a fork's) and has not made yet."""
        found = []
        for item in job.inputs:
            was = job_of(record["inputs"].get(item.name, {}).get("record", ""))
            if was and item.job and was != item.job and self._recorded(item.job) is None:
                text = f"{item.name}: from {item.job} now, which is not made yet; was {was}"
                found.append(Change("input", text))
        return found

    def _recorded(self, job: str) -> Record | None:
        return self.book.record(self.present.jobs[job]) if job else None

    def _input(self, kind: str, path: str, record: Record | None) -> str | None:
        if kind == "source":
            return self.present.source_sha256(path)
        if record is None:
            return None
        if kind == "record":
            return self.book.encoded(record).sha256
        sha: str = record["output"]["sha256"]
        return sha

    def _demand(self) -> None:
        """Mark as stale what the files that people ask for need and cannot get, until nothing changes."""
        while True:
            predicted = self._predict()
            lacking = self._lacking(predicted)
            if not lacking:
                return
            for name in lacking:
                verdict = self.verdicts[name]
                verdict.stale = True
                verdict.reasons.append(
                    Change(
                        "output",
                        f"{verdict.job.data} is needed and is nowhere: not in the "
                        "workspace, the cache or a remote",
                    )
                )

    def _predict(self) -> dict[str, Record | None]:
        """Set the actions; returns the record that each job will leave, as far as it is known."""
        predicted: dict[str, Record | None] = {}
        for name, verdict in self.verdicts.items():
            job = verdict.job
            starts = [up for up in job.upstream if self.verdicts[up].action != "current"]
            leafless = verdict.workspace.missing.intersection(job.step.leaf)
            record = self.book.record(job)
            inputs = {i.name: self._input(i.kind, i.path, predicted.get(i.job)) for i in job.inputs}
            known = {k: v for k, v in inputs.items() if v is not None}
            verdict.key = (
                key_of(self.present.parts(job, known)) if len(known) == len(inputs) else None
            )
            if job.step.group not in self.groups:
                verdict.action = "aside"
                predicted[name] = record
                continue
            if not verdict.stale and not starts:
                verdict.action = "restore" if leafless else "current"
                predicted[name] = record
                continue
            hit = self._lookup(job, verdict.key) if verdict.key else None
            predicted[name] = hit
            if hit is not None:
                verdict.action = "hit"
            else:
                verdict.action = "run" if verdict.stale or verdict.key else "follow"
        return predicted

    def _lookup(self, job: Job, key: str) -> Record | None:
        """A past result whose bytes can be had, as the runner will find it."""
        if (job.name, key) not in self._lookups:
            found = [r for r in self._candidates(job, key) if self.obtainable([r])[0]]
            self._lookups[job.name, key] = found[0] if found else None
        return self._lookups[job.name, key]

    def _candidates(self, job: Job, key: str) -> list[Record]:
        doubt, record = self.doubts.get(job.name), self.book.record(job)
        if doubt is not None:
            record = doubt.honest
            if record is None:
                return []
        if record is not None and record["key"] == key:
            return [record]
        known = [r for r in actions.lookup(self.store, key) if is_of(r, job)]
        return witness.judge(self.present.root, job, known)

    def obtainable(self, records: list[Record]) -> list[bool]:
        """For each record, whether every file of its output is in workspace, cache or remote."""
        lacking: list[list[Any]] = []
        for record in records:
            files = {f["path"]: f for f in record["output"]["files"]}
            if all(self.store.has(f["md5"], f["size"]) for f in files.values()):
                lacking.append([])
                continue
            workspace = compare(self.present.root, record)
            gone = workspace.missing | workspace.differing.keys()
            entries = [files[path] for path in sorted(gone)]
            lacking.append([f for f in entries if not self.store.has(f["md5"], f["size"])])
        there = self.remote.has(entry for entries in lacking for entry in entries)
        return [all(there[identity(entry)] for entry in entries) for entries in lacking]

    def _lacking(self, predicted: Mapping[str, Record | None]) -> list[str]:
        """Jobs that will not run although their data will be read and cannot be had."""
        needed: set[str] = set()
        for verdict in self.verdicts.values():
            if verdict.action == "restore":
                needed.add(verdict.job.name)
            if verdict.action in ("run", "follow"):
                needed.update(i.job for i in verdict.job.inputs if i.kind == "data")
        candidates = [
            (name, record)
            for name in self.verdicts
            if name in needed
            and self.verdicts[name].action in ("current", "restore")
            and (record := predicted[name]) is not None
        ]
        have = self.obtainable([record for _, record in candidates])
        return [name for (name, _), ok in zip(candidates, have, strict=True) if not ok]
