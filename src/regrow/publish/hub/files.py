"""The files of a revision, checked against its record as they are read."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regrow.engine import names
from regrow.evidence.errors import Unanswerable
from regrow.publish.hub.revisions import Revision


@dataclass(frozen=True)
class File:
    """One file of a revision."""

    path: str
    """below the revision's folder"""
    data: bytes
    sha256: str
    """as recorded; the data have it"""


def read(root: Path, revision: Revision) -> Iterator[File]:
    """The files of a revision below `root`, one at a time.

    Raises:
        Unanswerable: a file is not on disk, or its bytes are not those of the record.
        FlowError: a name leaves the folder of the revision, hides or collides.
    """
    record = revision.record
    names.check([revision.name], record.file)
    names.check([entry["path"] for entry in record.files], record.file)
    for entry in record.files:
        path = root / record.path / entry["path"]
        try:
            data = path.read_bytes()
        except OSError:
            raise Unanswerable(
                f"{record.path}/{entry['path']} is not on disk. Fetch with `dvc pull {record.path}`."
            ) from None
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise Unanswerable(
                f"{record.path}/{entry['path']}: its bytes are not those of {record.file}. "
                "`regrow verify` says what differs; `dvc checkout` restores it."
            )
        yield File(str(entry["path"]), data, str(entry["sha256"]))


def lay_out(root: Path, revision: Revision, target: Path) -> bool:
    """Write the revision as the folder `target`/<name>; whole or not at all.

    Returns False where that folder is there and holds these very bytes already.

    Raises:
        Unanswerable: the folder holds something else, or a file cannot be read.
        FlowError: a name leaves the folder, hides or collides; nothing is written.
    """
    names.check([revision.name], revision.record.file)
    place = target / revision.name
    wanted = {entry["path"]: entry["sha256"] for entry in revision.record.files}
    if place.exists():
        if _digests(place) == wanted:
            return False
        raise Unanswerable(f"{place} holds something else: remove it, or name another folder.")
    target.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{revision.name}-", dir=target))
    try:
        for file in read(root, revision):
            path = fresh / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        if _digests(fresh) != wanted:
            raise Unanswerable(
                f"{fresh}: what was written is not what was read. Is the disk sound?"
            )
        fresh.chmod(0o755)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return True


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
