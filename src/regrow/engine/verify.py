"""Are these the published bytes? Every artifact is reread, with no memory of earlier reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow.engine import actions, witness
from regrow.engine.hashing import sha256_file
from regrow.engine.records import Record
from regrow.engine.state import FileTree
from regrow.engine.store import Store


@dataclass
class Result:
    """One artifact (the output of a job) against its published record."""

    name: str
    path: str
    sha256: str
    """as published"""
    differing: list[str] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    """of the differing files: SHA-256 as published"""
    found: dict[str, str] = field(default_factory=dict)
    """of the differing files: SHA-256 of what is there; "" for what is no plain file"""
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    present: int = 0
    """files that were found"""
    cached: int = 0
    """files that are not in the workspace and were read in the cache"""

    @property
    def absent(self) -> bool:
        """Nothing of it is in the workspace, and the cache lacks a part of it.

        A part may be there all the same: files of equal content are one object of the cache.
        """
        return not (self.equal or self.differing or self.extra) and self.present == self.cached

    @property
    def equal(self) -> bool:
        """Every published byte is here, and nothing else."""
        return not (self.differing or self.missing or self.extra)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**self.__dict__, "equal": self.equal}


def verify(root: Path, records: list[Record]) -> list[Result]:
    """Reread the files of every record: in the workspace, and where it has none, in the cache."""
    store = Store(root)
    return [_verify_one(root, store, record) for record in records]


def forged(root: Path, records: list[Record], revision: str) -> list[str]:
    """What speaks against the records that are here beside the published ones, a sentence each.

    A record of another key is another artifact, and no forgery; one that is missing says nothing.
    """
    found = []
    for record in records:
        path = f"records/{actions.job_name(record)}.json"
        try:
            content = (root / path).read_bytes()
        except OSError:
            continue
        if why := witness.against(path, content, record, f"git {revision}"):
            found.append(why)
    return found


def _verify_one(root: Path, store: Store, record: Record) -> Result:
    output = record["output"]
    instance = record["instance"]
    name = record["step"] if instance is None else f"{record['step']}.{instance}"
    result = Result(name, output["path"], output["sha256"])
    here = FileTree(root, output["path"]).listing()
    for entry in output["files"]:
        path = root / output["path"] / entry["path"]
        if entry["path"] not in here:
            cached = store.object_path(entry["md5"])
            if not cached.is_file():
                result.missing.append(f"{output['path']}/{entry['path']}")
                continue
            path = cached
            result.cached += 1
        result.present += 1
        sha256 = sha256_file(path) if path.is_file() else ""
        if sha256 != entry["sha256"]:
            shown = str(path.relative_to(root) if path.is_relative_to(root) else path)
            result.differing.append(shown)
            result.expected[shown], result.found[shown] = entry["sha256"], sha256
    known = {entry["path"] for entry in output["files"]}
    result.extra = [f"{output['path']}/{n}" for n in here if n not in known]
    return result
