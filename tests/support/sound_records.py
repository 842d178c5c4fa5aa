"""The composer of records for tests: of the files in a folder, or of a record that a test changed by hand.

Nothing reads a record that contradicts itself, so digests and key always follow from the content. The format is the
engine's own (`regrow.engine.records`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.engine.definition import code_digest, key_of, of
from regrow.engine.hashing import Digest, digest_file
from regrow.engine.records import encode, fault, output_part


def output_of(root: Path, path: str) -> dict[str, Any]:
    """The part `output` of the files below `root / path`."""
    folder = root / path
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return output_part(path, {f.relative_to(folder).as_posix(): digest_file(f) for f in found})


def composed(
    name: str,
    parts: dict[str, Any],
    inputs: dict[str, dict[str, str]],
    output: dict[str, Any],
    counts: Any = None,
) -> dict[str, Any]:
    """The record of a job, as the runner composes it. `name`: STEP or STEP.INSTANCE."""
    step, _, instance = name.partition(".")
    return {
        "step": step,
        "instance": instance or None,
        "key": key_of(parts),
        "parts": parts,
        "inputs": inputs,
        "output": output,
        "counts": counts,
    }


def sound(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what it lacks, and with every digest following from its content again."""
    step, instance = record["step"], record.get("instance")
    record = {"instance": instance, "counts": None, "inputs": {}} | record
    path = f"data/{step}" + ("" if instance is None else f"/{instance}")
    digests = {
        str(e["path"]): Digest(e["sha256"], e.get("md5", "0" * 32), e["size"])
        for e in record["output"].get("files", [])
    }
    output = {**record["output"], **output_part(path, digests)}
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
