"""Records that tests compose or change by hand, made sound: nothing reads one that contradicts itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.engine.definition import code_digest, key_of, of
from regrow.engine.hashing import tree_sha256
from regrow.engine.records import encode, fault
from regrow.engine.store import dir_md5


def sound(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what it lacks, and with every digest following from its content again."""
    step, instance = record["step"], record.get("instance")
    record = {"instance": instance, "counts": None, "inputs": {}} | record
    output = dict(record["output"])
    entries = [{"md5": "0" * 32} | entry for entry in output.get("files", [])]
    entries.sort(key=lambda entry: str(entry["path"]))
    output |= {
        "path": f"data/{step}" + ("" if instance is None else f"/{instance}"),
        "sha256": tree_sha256({e["path"]: e["sha256"] for e in entries}),
        "md5": dir_md5(entries),
        "size": sum(e["size"] for e in entries),
        "nfiles": len(entries),
        "files": entries,
    }
    parts = {"inputs": {}, "params": {}} | record["parts"] | {"instance": instance}
    code = {"function": "", "modules": {}, "native": {}} | parts.get("code", {})
    code["digest"] = code_digest(code["modules"], code["native"])
    parts |= {"code": code}
    made = {**record, "parts": parts, "output": output, "key": key_of(parts, of(record))}
    assert fault(made) == "", fault(made)
    return made


def write_sound(path: Path, record: dict[str, Any]) -> None:
    """Write it, as the runner spells it."""
    path.write_bytes(encode(sound(record)))
