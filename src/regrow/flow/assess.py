"""What the records say about the present: which jobs are current, and what the others will do.

`settle` and `regrow plan` both ask here. Nothing is written except the memory of digests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from regrow.flow import actions
from regrow.flow.changes import Change, changes
from regrow.flow.hashing import digest_bytes
from regrow.flow.jobs import Job
from regrow.flow.present import Present, key_of
from regrow.flow.records import Book, Record, encode
from regrow.flow.remote import Remote
from regrow.flow.state import Tree
from regrow.flow.store import Store

READ_LIMIT = 4_000_000_000
"""bytes of unknown files that are read at the start of a run; the rest is verified on use"""

Action = Literal["current", "restore", "hit", "run", "follow", "aside"]


@dataclass
class Workspace:
    """How the files of a job's folder compare with its record."""

    missing: set[str] = field(default_factory=set)
    differing: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    unverified: set[str] = field(default_factory=set)

    @property
    def upset(self) -> bool:
        """Something is there that the record does not describe."""
        return bool(self.differing or self.extra)


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


def compare(root: Any, record: Record, budget: list[int] | None = None) -> Workspace:
    """Compare the files of a record's output with the workspace.

    `budget`: one number, the bytes that may still be read; files beyond it are `unverified`.
    """
    output = record["output"]
    tree = Tree(root, output["path"])
    listing = tree.listing()
    found = Workspace()
    for entry in output["files"]:
        name = entry["path"]
        stat = listing.pop(name, None)
        if stat is None:
            found.missing.add(name)
        elif stat.st_size != entry["size"]:
            found.differing.add(name)
        else:
            digest = tree.known(name, stat)
            if digest is None and budget is not None and stat.st_size > budget[0]:
                found.unverified.add(name)
                continue
            if digest is None:
                digest = tree.digest(name, stat)
                if budget is not None:
                    budget[0] -= stat.st_size
            if digest.sha256 != entry["sha256"]:
                found.differing.add(name)
    found.extra = set(listing)
    tree.save()
    return found


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
        self._lookups: dict[str, Record | None] = {}
        self._recorded_keys: dict[str, list[Record]] | None = None
        budget = [read_limit]
        self.verdicts: dict[str, Verdict] = {}
        for job in present.jobs.values():
            verdict = self.verdicts[job.name] = Verdict(job)
            record = self.book.record(job)
            if record is not None:
                verdict.workspace = compare(present.root, record, budget)
            verdict.reasons = self._own_changes(job, record, verdict.workspace)
            verdict.stale = bool(verdict.reasons)
        self._settle()

    def _own_changes(self, job: Job, record: Record | None, workspace: Workspace) -> list[Change]:
        if record is None:
            there = (self.present.root / job.record).exists()
            text = "its record is damaged" if there else "it has no record"
            return [Change("record", text)]
        # Inputs: against the records of the producers as they are; a missing one says nothing yet.
        inputs = {}
        for item in job.inputs:
            sha = self._input(item.kind, item.path, self._recorded(item.job))
            inputs[item.name] = sha or record["parts"]["inputs"].get(item.name, "")
        found = changes(record["parts"], self.present.parts(job, inputs))
        # Snakemake leaves a target that is there alone, though a file that it was made from is gone.
        found += [
            Change("record", f"{up}, which it is made from, has no record")
            for up in sorted(set(job.upstream))
            if self.book.record(self.present.jobs[up]) is None
        ]
        names = sorted(workspace.differing) + sorted(workspace.extra)
        for name in names:
            what = "differs from" if name in workspace.differing else "is not in"
            found.append(Change("output", f"{job.data}/{name} {what} its record"))
        return found

    def _recorded(self, job: str) -> Record | None:
        return self.book.record(self.present.jobs[job]) if job else None

    def _input(self, kind: str, path: str, record: Record | None) -> str | None:
        if kind == "source":
            return self.present.source_sha256(path)
        if record is None:
            return None
        if kind == "record":
            return digest_bytes(encode(record)).sha256
        sha: str = record["output"]["sha256"]
        return sha

    def _settle(self) -> None:
        """Demand, backwards from the files that people ask for, until nothing changes."""
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
            hit = self._lookup(verdict.key) if verdict.key else None
            predicted[name] = hit
            if hit is not None:
                verdict.action = "hit"
            else:
                verdict.action = "run" if verdict.stale or verdict.key else "follow"
        return predicted

    def _lookup(self, key: str) -> Record | None:
        """A past result whose bytes can be had, as the runner will find it."""
        if key not in self._lookups:
            found = [r for r in self._candidates(key) if self.obtainable([r])[0]]
            self._lookups[key] = found[0] if found else None
        return self._lookups[key]

    def _candidates(self, key: str) -> list[Record]:
        if self._recorded_keys is None:
            self._recorded_keys = {}
            for verdict in self.verdicts.values():
                record = self.book.record(verdict.job)
                if record is not None:
                    self._recorded_keys.setdefault(record["key"], []).append(record)
        return self._recorded_keys.get(key, []) + actions.lookup(self.store, key)

    def obtainable(self, records: list[Record]) -> list[bool]:
        """For each record, whether every file of its output is in workspace, cache or remote."""
        lacking: list[list[str]] = []
        for record in records:
            files = {f["path"]: f for f in record["output"]["files"]}
            if all(self.store.has(f["md5"]) for f in files.values()):
                lacking.append([])
                continue
            workspace = compare(self.present.root, record)
            gone = workspace.missing | workspace.differing
            lacking.append(
                [files[n]["md5"] for n in sorted(gone) if not self.store.has(files[n]["md5"])]
            )
        there = self.remote.has(md5 for md5s in lacking for md5 in md5s)
        return [all(there[md5] for md5 in md5s) for md5s in lacking]

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
