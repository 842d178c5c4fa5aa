"""The action cache: key -> record, kept as entries of DVC's run cache.

An entry lies at `.dvc/cache/runs/<key[:2]>/<key>/<sha256 of the entry>` in the form of a stage of
dvc.lock, which is how DVC keeps its own; the record is its `params`. So `dvc push --run-cache`
and `dvc fetch --run-cache` carry what was ever run without any code of ours. (They carry entries
only: the objects that an entry names travel with the `dvc push` of the commit that made them.)
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from regrow.flow import files
from regrow.flow.records import Record, encode, sound
from regrow.flow.store import Store


def folder(store: Store, key: str) -> Path:
    """Where the entries of a key lie."""
    return store.cache / "runs" / key[:2] / key


def remember(store: Store, record: Record) -> None:
    """Add a record to the action cache, if it is not there yet, and the `.dir` object of its data."""
    output = record["output"]
    instance = record["instance"]
    name = record["step"] if instance is None else f"{record['step']}.{instance}"
    out = {key: output[key] for key in ("path", "md5", "size", "nfiles")}
    entry = {
        "cmd": f"regrow run {name}",
        "params": {f"records/{name}.json": record},
        "outs": [{**out, "hash": "md5"}],
    }
    # JSON is YAML: DVC reads it, and reading it back here needs no YAML parser.
    text = json.dumps(entry, sort_keys=True).encode()
    path = folder(store, record["key"]) / hashlib.sha256(text).hexdigest()
    if not path.exists():
        files.write_atomically(path, text)
    if not store.has(output["md5"]):
        store.insert_dir(output["files"])


def lookup(store: Store, key: str) -> list[Record]:
    """Records of past runs with this key, in a fixed order (more than one: not deterministic)."""
    here = folder(store, key)
    found: dict[bytes, Record] = {}
    for path in sorted(here.iterdir()) if here.is_dir() else []:
        entry: Any = None if path.name.startswith(".") else files.read_json(path)
        try:
            (record,) = entry["params"].values()
        except (TypeError, KeyError, AttributeError, ValueError):
            continue
        if sound(record) and record["key"] == key:
            found.setdefault(encode(record), record)
    return list(found.values())
