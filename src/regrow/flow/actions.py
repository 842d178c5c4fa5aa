"""The action cache: key -> record, kept as entries of DVC's run cache.

An entry lies at `.dvc/cache/runs/<key[:2]>/<key>/<sha256 of the entry>` in the form of a stage of
dvc.lock, with two outputs: the data and the record itself. So `dvc push --run-cache` and
`dvc fetch --run-cache` carry what was ever run, with the objects, without any code of ours.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from regrow.flow import files
from regrow.flow.records import Record, decode, encode
from regrow.flow.store import Store


def folder(store: Store, key: str) -> Path:
    """Where the entries of a key lie."""
    return store.cache / "runs" / key[:2] / key


def remember(store: Store, record: Record) -> None:
    """Add a record to the action cache, if it is not there yet."""
    content = encode(record)
    here = folder(store, record["key"])
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if here.is_dir() and store.has(md5, len(content)):
        for path in here.iterdir():
            if md5 in path.read_text(encoding="utf-8", errors="replace"):
                return
    store.insert_bytes(content)
    if not store.has(record["output"]["md5"]):
        store.insert_dir(record["output"]["files"])
    output = record["output"]
    name = (
        record["step"] if record["instance"] is None else f"{record['step']}.{record['instance']}"
    )
    entry = {
        "cmd": f"regrow run {name}",
        "outs": [
            {
                "path": output["path"],
                "hash": "md5",
                "md5": output["md5"],
                "size": output["size"],
                "nfiles": output["nfiles"],
            },
            {"path": f"records/{name}.json", "hash": "md5", "md5": md5, "size": len(content)},
        ],
    }
    # JSON is YAML: DVC reads it, and reading it back here needs no YAML parser.
    text = json.dumps(entry, sort_keys=True).encode()
    files.write_atomically(here / hashlib.sha256(text).hexdigest(), text)


def lookup(store: Store, key: str) -> list[Record]:
    """Records of past runs with this key, in a fixed order (more than one: not deterministic)."""
    here = folder(store, key)
    found = []
    for path in sorted(here.iterdir()) if here.is_dir() else []:
        if path.name.startswith("."):
            continue
        entry = files.read_json(path)
        try:
            md5 = next(out["md5"] for out in entry["outs"] if out["path"].startswith("records/"))
        except (TypeError, KeyError, StopIteration):
            continue
        content = store.read(md5)
        record = decode(content) if content is not None else None
        if record is not None and record["key"] == key:
            found.append(record)
    return found
