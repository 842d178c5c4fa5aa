"""The records among a release's inputs, as rows of a lineage table.

Their format is in docs/concepts/architecture.md. A card must not fail on a record that lacks a
field: what is missing is left out of the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "record."


@dataclass(frozen=True)
class Source:
    """One input of a step."""

    name: str
    """as the step calls it: `base`, `data` ..."""
    path: str
    sha256: str
    record: str = ""
    """the record of the job that made it: `dpo.000032`; "" for a source"""
    kind: str = ""
    """data, record or source"""


@dataclass(frozen=True)
class Artifact:
    """One step of the lineage."""

    step: str
    """name, with its instance if it has one: `dedup`, `pretrain.000600`"""
    output: str = ""
    """SHA-256 of the output tree"""
    key: str = ""
    """SHA-256 of everything that determined it"""
    numerics: str = ""
    size: int = 0
    """bytes of the output"""
    counts: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    code: str = ""
    """digest of the code that the step can reach"""
    inputs: tuple[Source, ...] = ()
    function: str = ""
    """`regrow.learn.train.kinds.sft:run`"""
    options: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """of the output, below it"""

    @property
    def stage(self) -> str:
        """The step's name without the instance."""
        return self.step.partition(".")[0]

    def made_by(self, name: str) -> str:
        """The record that the input `name` comes from, "" where there is no such input or record."""
        return next((source.record for source in self.inputs if source.name == name), "")


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def artifact(record: Any) -> Artifact:
    """The row of one record; unknown or odd fields are ignored."""
    raw, parts = _mapping(record), _mapping(_mapping(record).get("parts"))
    output = _mapping(raw.get("output"))
    name, instance = _text(raw.get("step")) or "unknown", raw.get("instance")
    size, digests = output.get("size"), _mapping(parts.get("inputs"))
    return Artifact(
        step=f"{name}.{instance}" if isinstance(instance, str) and instance else name,
        output=_text(output.get("sha256")),
        key=_text(raw.get("key")),
        numerics=_text(parts.get("numerics")),
        size=size if isinstance(size, int) else 0,
        counts=_mapping(raw.get("counts")),
        params=_mapping(parts.get("params")),
        packages={k: str(v) for k, v in _mapping(parts.get("packages")).items()},
        code=_text(_mapping(parts.get("code")).get("digest")),
        inputs=tuple(
            _source(str(name), _mapping(entry), digests)
            for name, entry in sorted(_mapping(raw.get("inputs")).items())
        ),
        function=_text(_mapping(parts.get("code")).get("function")),
        options=_mapping(parts.get("options")),
        files=tuple(
            _text(_mapping(entry).get("path"))
            for entry in (output["files"] if isinstance(output.get("files"), list) else ())
        ),
    )


def _source(name: str, entry: dict[str, Any], digests: dict[str, Any]) -> Source:
    record = _text(entry.get("record")).rpartition("/")[2].removesuffix(".json")
    kind = _text(entry.get("kind"))
    return Source(name, _text(entry.get("path")), _text(digests.get(name)), record, kind)


def read(inputs: Mapping[str, Path]) -> dict[str, Artifact]:
    """Step name -> row, for inputs called `record.<step>`, in the order of the inputs.

    Raises:
        ValueError: a record is not JSON.
    """
    rows = {}
    for name, path in inputs.items():
        if name.startswith(PREFIX):
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ValueError(f"{path.name}: not a record: {error}. Rerun its step.") from None
            rows[name.removeprefix(PREFIX)] = artifact(raw)
    return rows


def sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def tree(folder: Path) -> str:
    """The digest of a folder as the records have it: over the lines `<sha256>  <path>`, in the order of paths."""
    paths = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    lines = [f"{sha256(path)}  {name}\n" for name, path in sorted(paths.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
