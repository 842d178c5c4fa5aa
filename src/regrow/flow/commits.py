"""Records as git has them: what was published, and which of them the workspace has otherwise."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

from regrow.flow.errors import FlowError
from regrow.flow.records import Record, decode


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
    found = []
    for name, content in _contents(root, revision, names).items():
        record = decode(content)
        if record is None:
            raise FlowError(f"{name} at {revision} is not a sound record.")
        found.append(record)
    return found


def altered(root: Path, among: Collection[str]) -> dict[str, Record]:
    """By path, the committed records (HEAD) of those files that the workspace has otherwise.

    Without git, or before the first commit, nothing was committed and nothing is altered.
    """
    try:
        listing = _git(root, "diff", "--name-only", "-z", "HEAD", "--", "records/")
        names = [n for n in listing.decode().split("\0") if n in among]
        contents = _contents(root, "HEAD", names)
    except FlowError:
        return {}
    found = {name: decode(content) for name, content in contents.items()}
    return {name: record for name, record in found.items() if record is not None}


def record(root: Path, name: str) -> Record | None:
    """The record that git HEAD has under this path, None if it has none."""
    try:
        content = _contents(root, "HEAD", [name]).get(name)
    except FlowError:
        return None
    return None if content is None else decode(content)


def _contents(root: Path, revision: str, names: list[str]) -> dict[str, bytes]:
    """The files of a revision, those that it has."""
    if not names:
        return {}
    # One call for all of them: `git cat-file --batch` answers `<sha> blob <size>\n<content>\n`.
    asked = "".join(f"{revision}:./{name}\n" for name in names).encode()
    answer = _git(root, "cat-file", "--batch", stdin=asked)
    found = {}
    for name in names:
        head, _, answer = answer.partition(b"\n")
        if head.endswith(b" missing"):
            continue
        size = int(head.split()[-1])
        found[name], answer = answer[:size], answer[size + 1 :]
    return found


def _git(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *args],
            input=stdin,
            capture_output=True,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except FileNotFoundError:
        raise FlowError("git is not installed; the published records are read from it.") from None
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        raise FlowError(f"the published records cannot be read: {text[-1]}.")
    return done.stdout
