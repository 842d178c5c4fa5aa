"""The action cache: key -> record, kept as entries of DVC's run cache.

An entry is at `.dvc/cache/runs/<key[:2]>/<key>/<sha256 of the entry>` in the form of a stage of
dvc.lock, which is how DVC keeps its own; the record is its `params`. So `dvc push --run-cache`
and `dvc fetch --run-cache` carry what was ever run without any code of ours. (They carry entries
only: the objects that an entry names travel with the `dvc push` of the commit that made them.)
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from regrow.engine.records import Record, encode, sound
from regrow.engine.store import Store


def job_name(record: Record) -> str:
    """`step` or `step.instance`."""
    step, instance = record["step"], record["instance"]
    return step if instance is None else f"{step}.{instance}"


def folder(store: Store, key: str) -> Path:
    """Where the entries of a key are."""
    return store.cache / "runs" / key[:2] / key


def remember(store: Store, record: Record) -> None:
    """Add a record to the action cache, if it is not there yet, and the `.dir` object of its data."""
    name, text = _entry(record)
    path = folder(store, record["key"]) / name
    if not path.exists():
        store.put(path, text)
    store.insert_dir(record["output"]["files"])


def others(store: Store, record: Record) -> list[Record]:
    """What entries other than a record's own say of its key."""
    key = record["key"]
    paths = _entries(store, key)
    if not paths:
        return []
    own, _ = _entry(record)
    found = [_record(_read(path), key) for path in paths if path.name != own]
    return [other for other in found if other is not None]


def _entry(record: Record) -> tuple[str, bytes]:
    """Name and content of the entry of a record."""
    output, name = record["output"], job_name(record)
    out = {key: output[key] for key in ("path", "md5", "size", "nfiles")}
    entry = {
        "cmd": f"regrow run {name}",
        "params": {f"records/{name}.json": record},
        "outs": [{**out, "hash": "md5"}],
    }
    # JSON is YAML: DVC reads it, and reading it back here needs no YAML parser.
    text = json.dumps(entry, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest(), text


def take(store: Store, key: str, name: str, content: bytes) -> bool:
    """Adopt an entry that a remote sent, if its name is its digest and it is a sound one."""
    if hashlib.sha256(content).hexdigest() != name or _record(content, key) is None:
        return False
    store.put(folder(store, key) / name, content)
    return True


def forget(store: Store, key: str, keep: Record | None = None) -> int:
    """Remove the entries of a key with another result than `keep`; returns how many."""
    gone = 0
    for path in _entries(store, key):
        record = _record(_read(path), key)
        if record is None or keep is None or result(record) != result(keep):
            with contextlib.suppress(OSError):  # in another's cache: `judge` hears both
                path.unlink(missing_ok=True)
                gone += 1
    return gone


def result(record: Record) -> str:
    """What a key must determine: the whole output (every name, digest and size) and the counts."""
    return json.dumps([record["output"], record["counts"]], sort_keys=True)


def lookup(store: Store, key: str) -> list[Record]:
    """Records of past runs with this key, in a fixed order (more than one: not deterministic)."""
    found: dict[bytes, Record] = {}
    for path in _entries(store, key):
        record = _record(_read(path), key)
        if record is not None:
            found.setdefault(encode(record), record)
    return list(found.values())


def _entries(store: Store, key: str) -> list[Path]:
    here = folder(store, key)
    if not here.is_dir():
        return []
    return sorted(path for path in here.iterdir() if not path.name.startswith("."))


def _read(path: Path) -> bytes:
    """The bytes of an entry; none of one that is no file, or another user's."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _record(content: bytes, key: str) -> Record | None:
    """The record of an entry's bytes, None if it is not a sound one of this key."""
    try:
        (record,) = json.loads(content)["params"].values()
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return None
    return record if sound(record) and record["key"] == key else None
