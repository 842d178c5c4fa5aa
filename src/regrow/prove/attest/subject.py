"""Artifacts as in-toto resource descriptors.

A file has `sha256`. A folder has `dirHash`, in-toto's name for the SHA-256 over the sorted lines
`<sha256>  <path>` (Hash1 of Go modules), which is what Regrow calls the SHA-256 of an output. In
a folder it is printed by
`find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.engine import names
from regrow.engine.hashing import sha256_file, tree_sha256
from regrow.engine.visible import visible
from regrow.evidence.errors import Unanswerable
from regrow.evidence.naming import Artifact
from regrow.evidence.record import Record

FOLDER = "dirHash"
FILE = "sha256"


def subjects(artifact: Artifact) -> list[dict[str, Any]]:
    """The artifact, and for a whole output its files too; names are paths below the root."""
    if artifact.file is not None:
        return [{"name": artifact.path, "digest": {FILE: artifact.sha256}}]
    return [output(artifact.record), *files(artifact.record)]


def output(record: Record) -> dict[str, Any]:
    """The folder that a job filled."""
    return {"name": record.path, "digest": {FOLDER: record.sha256}}


def files(record: Record) -> list[dict[str, Any]]:
    """The files of an output, by path."""
    return [
        {"name": f"{record.path}/{entry['path']}", "digest": {FILE: str(entry["sha256"])}}
        for entry in sorted(record.files, key=lambda entry: str(entry["path"]))
    ]


def digest_of(found: dict[str, str], where: str) -> dict[str, str]:
    """The digest, by its kind, of what `contents` found.

    Raises:
        FlowError: a name in it is refused (`engine/names.py`).
    """
    return {FILE: found[""]} if "" in found else {FOLDER: tree_sha256(found, where)}


def contents(path: Path) -> dict[str, str]:
    """Path below a folder on disk -> SHA-256 of the file, every byte read, sorted; of a single file, the one entry "".

    Raises:
        Unanswerable: it cannot be read, or holds something that is no plain file.
        FlowError: a name in it is refused.
    """
    try:
        if path.is_file():
            return {"": sha256_file(path)}
        listed = sorted(path.rglob("*"))
        # Before anything is read: a refused name is what the answer is about.
        names.check(
            [item.relative_to(path).as_posix() for item in listed if item.is_file()], str(path)
        )
        found = {}
        for item in listed:
            if item.is_symlink() or not (item.is_file() or item.is_dir()):
                raise Unanswerable(f"{visible(str(item))} is no plain file.")
            if item.is_file():
                found[item.relative_to(path).as_posix()] = sha256_file(item)
    except OSError as error:
        raise Unanswerable(f"{visible(str(path))} cannot be read: {error.strerror}.") from None
    return found
