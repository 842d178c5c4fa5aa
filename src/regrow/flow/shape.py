"""The shape of a record that came from elsewhere: names that stay inside its folder, real digests.

A record says where files are written and removed, and which object of the cache is read. One
that was edited, or that a remote's run cache brought, must not say `../` anywhere. Checked
before any other use, together with the digests that follow from its content (`records.sound`).
"""

from __future__ import annotations

import re
from typing import Any

from regrow.flow.jobs import data_path

_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")


def shaped(record: Any) -> bool:
    """Whether a record's output is the job's own folder, with plain files below it.

    Raises:
        KeyError, TypeError: it has no such fields.
    """
    step, instance, output = record["step"], record["instance"], record["output"]
    names = [step] if instance is None else [step, instance]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        return False
    entries = output["files"]
    paths = [entry["path"] for entry in entries]
    return (
        output["path"] == data_path(step, instance)
        and all(inside(path) for path in paths)
        and len(set(paths)) == len(paths)
        and not _nested(set(paths))
        and all(_digests(entry) for entry in entries)
        and output["size"] == sum(entry["size"] for entry in entries)
        and output["nfiles"] == len(entries)
    )


def inside(path: Any) -> bool:
    """Whether a path of a listing stays below its folder: relative, no `.` or `..`, no NUL."""
    if not isinstance(path, str) or not path or "\0" in path:
        return False
    return all(part not in ("", ".", "..") for part in path.split("/"))


def _nested(paths: set[str]) -> bool:
    """Whether one path is a file and the folder of another."""
    return any(path[:at] in paths for path in paths for at in _slashes(path))


def _slashes(path: str) -> list[int]:
    return [at for at, character in enumerate(path) if character == "/"]


def _digests(entry: Any) -> bool:
    size = entry["size"]
    return bool(
        _SHA256.fullmatch(entry["sha256"])
        and _MD5.fullmatch(entry["md5"])
        and type(size) is int
        and size >= 0
    )
