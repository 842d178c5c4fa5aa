"""Bytes of a rebuild against what the records say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from regrow.engine.hashing import sha256_file, tree_sha256
from regrow.evidence.record import Record

State = Literal["equal", "differs", "not built"]


@dataclass(frozen=True)
class Compared:
    """One job of the chain, rebuilt."""

    name: str
    state: State
    recorded: str
    """digest of the recorded output tree"""
    rebuilt: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    """files that differ: path, recorded and rebuilt SHA-256 (None: not there)"""
    key_equal: bool | None = None
    """whether the rebuild had the same step key (code, params, packages, inputs)"""

    def as_json(self) -> dict[str, Any]:
        """The fields as a mapping."""
        return dict(vars(self))


def compare(folder: Path, record: Record, rebuilt_key: str | None) -> Compared:
    """Reread every byte that the rebuild in `folder` wrote for the job of `record`."""
    place = folder / record.path
    if rebuilt_key is None or not place.is_dir():
        return Compared(record.name, "not built", record.sha256)
    found = {
        path.relative_to(place).as_posix(): sha256_file(path)
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }
    wanted = {entry["path"]: entry["sha256"] for entry in record.files}
    differing = [
        {"path": name, "recorded": wanted.get(name), "rebuilt": found.get(name)}
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    return Compared(
        record.name,
        "differs" if differing else "equal",
        record.sha256,
        tree_sha256(found),
        differing,
        rebuilt_key == record.key,
    )
