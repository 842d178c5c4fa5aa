"""The inputs of a job that is about to run: complete, reread to the last byte, watched meanwhile.

Here no time stamp counts and nothing that was noted of earlier reads: a file whose times were
put back, a memory of digests that was edited, a cache object with the right name and other
bytes are all found before the step's function sees them.
"""

from __future__ import annotations

from pathlib import Path

from regrow.engine.errors import StepFailed
from regrow.engine.hashing import sha256_file, tree_sha256
from regrow.engine.jobs import Job, Resolved
from regrow.engine.records import Book
from regrow.engine.remote import Remote
from regrow.engine.state import FileTree, beside
from regrow.engine.store import Store
from regrow.engine.workspace import provide

Mark = tuple[int, ...]


class Inputs:
    """What a job reads."""

    def __init__(self, root: Path, job: Job, made: dict[str, Job], book: Book) -> None:
        """`made`: all jobs by name; `book`: their records."""
        self.root = root
        self.job = job
        self._made = made
        self._book = book
        self._sha256: dict[str, str] = {}
        self._marks: dict[str, Mark] = {}

    def provide(self, store: Store, remote: Remote, sources: dict[str, str]) -> dict[str, Path]:
        """Make every input complete and right; returns their paths by name.

        Args:
            store, remote: where what is missing or wrong comes from.
            sources: SHA-256 of the sources that the key was made with, by input name.

        Raises:
            Lost: a file can be had from neither cache nor remote.
            StepFailed: a source has other bytes than the key says.
        """
        for item in self.job.inputs:
            if item.kind == "data":
                record = self._book.record(self._made[item.job])
                assert record is not None
                provide(self.root, store, remote, record, self.job.name)
                for entry in record["output"]["files"]:
                    self._sha256[f"{item.path}/{entry['path']}"] = entry["sha256"]
            elif item.kind == "source":
                self._reread_source(item, sources[item.name])
            else:
                digest = self._book.digest(self._made[item.job])
                self._sha256[item.path] = digest.sha256 if digest else ""
        self._marks = self._now()
        return {item.name: self.root / item.path for item in self.job.inputs}

    def changed(self) -> list[str]:
        """Paths of inputs that changed since, or came or went.

        Where the change time alone moved (a backup linked the file, or somebody put the other
        times back) the bytes decide.
        """
        before, after = self._marks, self._now()
        return [
            name
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
            and (
                before.get(name, ())[:3] != after.get(name, ())[:3]
                or sha256_file(self.root / name) != self._sha256.get(name)
            )
        ]

    def _reread_source(self, item: Resolved, expected: str) -> None:
        tree = FileTree(self.root, item.path, reread=True)
        digests = {n: digest.sha256 for n, digest in tree.digests().items() if not beside(n)}
        tree.save()
        found = digests[""] if "" in digests else tree_sha256(digests, item.path)
        if found != expected:
            raise StepFailed(
                f"{self.job.name}: the source {item.path} has other bytes than were noted of it: "
                f"expected sha256 {expected}, found {found}. Nothing was run. Fix: `git status` and "
                f"`git checkout -- {item.path}`; the next run counts what it finds."
            )
        for name, sha256 in digests.items():
            self._sha256[tree.place(name)] = sha256

    def _now(self) -> dict[str, Mark]:
        found: dict[str, Mark] = {}
        for item in self.job.inputs:
            tree = FileTree(self.root, item.path)
            for name, stat in tree.listing().items():
                if item.kind == "source" and beside(name):
                    continue
                found[tree.place(name)] = (
                    stat.st_ino,
                    stat.st_size,
                    stat.st_mtime_ns,
                    stat.st_ctime_ns,
                )
        return found
