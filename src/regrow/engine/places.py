"""Are the bytes in DVC's cache and in its remote those of the records? Every object is read.

`verify` asks what people and steps read: the workspace, and the cache where the workspace has
nothing. This asks of the places behind it, from which `dvc push` and `dvc pull` carry on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.engine.actions import job_name
from regrow.engine.dvcfiles import step_files
from regrow.engine.hashing import digest_bytes, sha256_file
from regrow.engine.records import Record
from regrow.engine.remote import Remote
from regrow.engine.store import Store, dir_object


@dataclass(frozen=True)
class Fault:
    """An object that is not what a record names."""

    name: str
    """the job"""
    path: str
    """the file that it stands for; a folder, if it is a `.dir` object"""
    where: str
    expected: str
    """SHA-256"""
    found: str

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return dict(self.__dict__)


@dataclass
class Answer:
    """What was found in one place."""

    read: int
    """objects that were there and were read"""
    absent: int
    faults: list[Fault]
    trouble: str = ""


def check_cache(root: Path, records: Iterable[Record]) -> Answer:
    """Reread the cache's objects of all files and folders of these records."""
    store = Store(root)
    answer = Answer(0, 0, [])
    for record, entry in _entries(records):
        path = store.object_path(entry["md5"])
        if not path.is_file():
            answer.absent += 1
            continue
        answer.read += 1
        found = sha256_file(path)
        if found != entry["sha256"]:
            answer.faults.append(_fault(record, entry, str(path), found))
    return answer


def check_remote(root: Path, records: Iterable[Record]) -> Answer:
    """Read the default remote's objects of these records, keeping none."""
    remote = Remote(Store(root))
    rows = list(_entries(records))
    fates = remote.check([entry for _, entry in rows])
    answer = Answer(0, 0, [], remote.trouble)
    for (record, entry), fate in zip(rows, fates, strict=True):
        answer.read += fate["fate"] in ("here", "wrong")
        answer.absent += fate["fate"] in ("missing", "failed")
        if fate["fate"] == "wrong":
            where = f"remote `{remote.store.remote_name}`, {entry['md5'][:2]}/{entry['md5'][2:]}"
            answer.faults.append(_fault(record, entry, where, fate["found"]))
        elif fate["fate"] == "failed":
            answer.trouble = answer.trouble or fate.get("text", "")
    return answer


def _entries(records: Iterable[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """The objects behind records, each once: files, then the listing of each step's folder.

    `path` of an entry is the whole path below the root.
    """
    seen = set()
    steps: dict[str, list[Record]] = {}
    for record in records:
        steps.setdefault(record["step"], []).append(record)
        for entry in record["output"]["files"]:
            if (entry["md5"], entry["sha256"]) not in seen:
                seen.add((entry["md5"], entry["sha256"]))
                yield record, {**entry, "path": f"{record['output']['path']}/{entry['path']}"}
    for step, made in steps.items():
        content = dir_object(step_files(step, made))
        digest = digest_bytes(content)
        listing = {"md5": f"{digest.md5}.dir", "sha256": digest.sha256, "size": digest.size}
        yield made[0], {**listing, "path": f"data/{step}"}


def _fault(record: Record, entry: dict[str, Any], where: str, found: str) -> Fault:
    return Fault(job_name(record), entry["path"], where, entry["sha256"], found)
