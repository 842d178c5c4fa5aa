"""One side of a comparison: the records, sources and code of the working tree or of a git revision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regrow.ask.diff import objects
from regrow.engine.hashing import tree_sha256
from regrow.evidence.commit import commit_of, resolve_commit
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact, resolve
from regrow.evidence.record import Record
from regrow.evidence.record import parse as parsed
from regrow.selection import beside, parse


@dataclass(frozen=True)
class Name:
    """What a person wrote: an artifact, and at which revision."""

    artifact: str
    """"" means the model at the end of the longest chain"""
    revision: str
    """"" means the working tree"""

    @classmethod
    def parse(cls, text: str) -> Name:
        """Read `rlvr.000080`, `rlvr.000080@branch` or `@branch`."""
        artifact, at, revision = text.strip().partition("@")
        if at and not revision:
            raise Unanswerable(f"`{text}`: a revision must follow the @ (a branch, tag or commit).")
        return cls(artifact, revision)


class Side:
    """Everything that one of the two artifacts is compared by."""

    def __init__(self, root: Path, name: Name) -> None:
        """Read the records.

        Raises:
            Unanswerable: no such revision, no records there, or no such artifact.
        """
        self.root = root
        self.name = name
        self.commit = resolve_commit(root, name.revision) if name.revision else ""
        """full hash; "" for the working tree"""
        self.ledger = self._ledger()
        self.artifact = self._artifact()

    @property
    def label(self) -> str:
        """How the artifact is called in the answer: `rlvr.000080@branch`."""
        end = f"@{self.name.revision}" if self.name.revision else ""
        return f"{self.artifact.record.name}{end}"

    def _ledger(self) -> Ledger:
        if not self.commit:
            return Ledger.load(self.root)
        found = objects.read(self.root, self.commit, "records")
        records = [
            parsed(content, path) for path, content in found.items() if path.endswith(".json")
        ]
        if not records:
            raise Unanswerable(
                f"{self.name.revision} ({self.commit[:12]}) has no records: no run was committed there. "
                "Commit `records/` on that branch, or name another revision."
            )
        return Ledger(self.root, records)

    def _artifact(self) -> Artifact:
        if not self.name.artifact:
            final = self.ledger.final
            if final is None:
                raise Unanswerable("there is no checkpoint: name an artifact.")
            return Artifact(final)
        try:
            return resolve(self.ledger, self.name.artifact)
        except Unanswerable as error:
            at = f" (at {self.name.revision})" if self.name.revision else ""
            raise Unanswerable(f"{error}{at}") from None

    def source(self, path: str, expected: str) -> dict[str, str] | None:
        """Files of a source -> SHA-256, as the record says it was (`expected`: SHA-256 of the whole).

        None where what is there now is not what the record was made from.
        """
        found = (
            objects.read(self.root, self.commit, path)
            if self.commit
            else objects.walk(self.root, path)
        )
        start = len(parse(path).folder)
        inside = {name[start:].lstrip("/"): content for name, content in found.items()}
        inside = {name: content for name, content in inside.items() if not beside(name)}
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in inside.items()}
        whole = digests[""] if set(digests) == {""} else tree_sha256(digests)
        known = digests or parse(path).parts > 1  # a part may hold no file
        return digests if known and whole == expected else None

    def module(self, record: Record, name: str) -> list[tuple[str, bytes]]:
        """Texts that the module may have had when `record` was made: (where, source), the likeliest first."""
        stem = "src/" + name.replace(".", "/")
        found = []
        for commit in [self.commit, *self._older(record)]:
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                content = objects.one(self.root, commit, path)
                if content is not None:
                    found.append((commit[:12] or "working tree", content))
        return found

    def _older(self, record: Record) -> list[str]:
        if record.file not in self._commits:
            try:
                self._commits[record.file] = [commit_of(self.root, record)]
            except Unanswerable:
                self._commits[record.file] = []
        return [commit for commit in self._commits[record.file] if commit != self.commit]

    @cached_property
    def _commits(self) -> dict[str, list[str]]:
        return {}
