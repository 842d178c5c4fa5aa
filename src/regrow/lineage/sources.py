"""The sources manifest: what the flow begins with, under which licence, from where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.lineage.errors import Unanswerable
from regrow.release import composition

MANIFEST = "sources/manifest.yaml"


@dataclass(frozen=True)
class Source:
    """One entry of the manifest."""

    name: str
    licence: str
    origin: str
    version: str = ""
    sha256: str = ""
    path: str = ""
    """of the file or folder in the repository, where the manifest says it"""
    files: int = 0
    size: int = 0
    """bytes"""

    def as_json(self) -> dict[str, Any]:
        """The fields as a mapping."""
        return dict(vars(self))


def manifest(root: Path) -> list[Source]:
    """The sources below `root`, [] where there is no manifest.

    Raises:
        Unanswerable: the manifest cannot be read.
    """
    path = root / MANIFEST
    if not path.is_file():
        return []
    try:
        entries = composition.manifest(path)
    except ValueError as error:
        raise Unanswerable(f"{MANIFEST}: {error}") from None
    return [_source(root, entry) for entry in entries]


def _source(root: Path, entry: dict[str, str]) -> Source:
    named = entry.get("path") or entry.get("file") or ""
    place = next((p for p in (path.parent / named for path in (root / MANIFEST, root / "x")) if named and p.exists()), None)
    files = [] if place is None else [place] if place.is_file() else [p for p in sorted(place.rglob("*")) if p.is_file()]
    size = sum(file.stat().st_size for file in files)
    return Source(
        name=entry["name"],
        licence=entry["licence"] or "unknown",
        origin=entry["origin"],
        version=entry["version"],
        sha256=entry["sha256"],
        path="" if place is None else place.relative_to(root).as_posix(),
        files=len(files) or int(entry.get("files") or 0),
        size=size or int(entry.get("bytes") or entry.get("size") or 0),
    )
