"""The shape of a record that came from elsewhere: names that stay inside its folder, real digests.

A record says where files are written and removed, and which object of the cache is read. One
that was edited, or that a remote's run cache brought, must not say `../` anywhere. Checked
before any other use, together with the digests that follow from its content (`records.sound`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.engine import names
from regrow.engine.jobs import data_path, job_of

_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")


_FIELDS = {"step", "instance", "key", "parts", "inputs", "output", "counts"}
_OUTPUT = {"path", "sha256", "md5", "size", "nfiles", "files"}
_ENTRY = {"path", "sha256", "md5", "size"}


def fault(record: Any) -> str:
    """Why something is not of the shape of a record, "" where it is.

    Its output is the job's own folder, with plain files below it under names that `names` does not refuse; its
    inputs are those that its key counts, each at the place of its job.

    Raises:
        KeyError, TypeError, AttributeError: it has no such fields.
    """
    if set(record) - {"definition"} != _FIELDS:
        return f"its fields are not {', '.join(sorted(_FIELDS))}"
    return named(record) or _inputs(record)


def named(record: Any) -> str:
    """Why a record's output is refused, "" where it is not: what it must not say whoever reads it."""
    step, instance, output = record["step"], record["instance"], record["output"]
    words = [step] if instance is None else [step, instance]
    for word in words:
        if not (isinstance(word, str) and _NAME.fullmatch(word)) or names.fault(word):
            return f"`{names.shown(word)}` is no name of a step or instance"
    entries = output["files"]
    if set(output) != _OUTPUT or any(set(entry) != _ENTRY for entry in entries):
        return "its output has fields that no record has, or lacks some"
    if output["path"] != data_path(step, instance):
        return f"its output is `{names.shown(output['path'])}`, not the folder of its job"
    if found := names.faults([entry["path"] for entry in entries]):
        return found[0]
    paths = [entry["path"] for entry in entries]
    if paths != sorted(paths):
        return "its files are not in the order of their names"
    if not all(_digests(entry) for entry in entries):
        return "a digest or size of a file is none"
    if not _is(output["size"], sum(entry["size"] for entry in entries)):
        return "its size is not that of its files"
    return "" if _is(output["nfiles"], len(entries)) else "its number of files is not theirs"


def inside(path: Any) -> bool:
    """Whether a path of a listing stays below its folder and has a name that is not refused."""
    return not names.fault(path)


def _inputs(record: Mapping[str, Any]) -> str:
    """Why the part `inputs` is refused: it does not fit the key's, or names another place than its job's."""
    inputs, counted = record["inputs"], record["parts"]["inputs"]
    if inputs.keys() != counted.keys():
        return "its inputs are not those that its key counts"
    for name, entry in inputs.items():
        kind, path, made = entry["kind"], entry["path"], entry.get("record")
        expected = {"kind", "path"} if kind == "source" else {"kind", "path", "record"}
        if kind not in ("source", "data", "record") or set(entry) != expected:
            return f"its input {names.shown(name)} is of no kind"
        if kind == "source":
            right = not names.fault(path)
        else:
            step, _, instance = job_of(made).partition(".")
            right = made == f"records/{job_of(made)}.json" and not names.fault(made)
            right &= path == (made if kind == "record" else data_path(step, instance or None))
        if not right:
            return f"its input {names.shown(name)} is at `{names.shown(path)}`, not the place of its job"
    return ""


def _is(value: Any, number: int) -> bool:
    """Whether a value is this very whole number (`true` is no 1, 1.0 is no 1)."""
    return type(value) is int and value == number


def _digests(entry: Any) -> bool:
    size = entry["size"]
    return bool(
        _SHA256.fullmatch(entry["sha256"])
        and _MD5.fullmatch(entry["md5"])
        and type(size) is int
        and size >= 0
    )
