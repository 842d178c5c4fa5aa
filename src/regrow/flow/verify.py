"""Are these the published bytes? Every artifact is reread, with no memory of earlier reads."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow.flow.errors import FlowError
from regrow.flow.hashing import sha256_file
from regrow.flow.records import Record, decode
from regrow.flow.state import Tree
from regrow.flow.store import Store


@dataclass
class Result:
    """One artifact (the output of a job) against its published record."""

    name: str
    path: str
    sha256: str
    """as published"""
    differing: list[str] = field(default_factory=list)
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


def published(root: Path, revision: str) -> list[Record]:
    """The records committed at a git revision, in the order of their names.

    Raises:
        FlowError: no git, no such revision, or no records there.
    """
    listing = _git(root, "ls-tree", "-r", "-z", "--name-only", revision, "--", "records/")
    names = [n for n in listing.decode().split("\0") if n.endswith(".json")]
    if not names:
        raise FlowError(
            f"no records are published at {revision}: nothing to compare with. "
            "Publish a run by committing records/, code.json, dvc.yaml and dvc.lock."
        )
    # One call for all of them: `git cat-file --batch` answers `<sha> blob <size>\n<content>\n`.
    asked = "".join(f"{revision}:{name}\n" for name in names).encode()
    answer = _git(root, "cat-file", "--batch", stdin=asked)
    found = []
    for name in names:
        head, _, answer = answer.partition(b"\n")
        size = int(head.split()[-1])
        content, answer = answer[:size], answer[size + 1 :]
        record = decode(content)
        if record is None:
            raise FlowError(f"{name} at {revision} is not a sound record.")
        found.append(record)
    return found


def _git(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *args], input=stdin, capture_output=True)
    except FileNotFoundError:
        raise FlowError("git is not installed; the published records are read from it.") from None
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        raise FlowError(f"the published records cannot be read: {text[-1]}.")
    return done.stdout


def verify(root: Path, records: list[Record]) -> list[Result]:
    """Reread the files of every record: in the workspace, and where it has none, in the cache."""
    store = Store(root)
    return [_verify_one(root, store, record) for record in records]


def _verify_one(root: Path, store: Store, record: Record) -> Result:
    output = record["output"]
    instance = record["instance"]
    name = record["step"] if instance is None else f"{record['step']}.{instance}"
    result = Result(name, output["path"], output["sha256"])
    here = Tree(root, output["path"]).listing()
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
        if path.stat().st_size != entry["size"] or sha256_file(path) != entry["sha256"]:
            result.differing.append(
                str(path.relative_to(root) if path.is_relative_to(root) else path)
            )
    known = {entry["path"] for entry in output["files"]}
    result.extra = [f"{output['path']}/{n}" for n in here if n not in known]
    return result
