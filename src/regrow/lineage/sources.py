"""The sources manifest: what the flow begins with, under which licence, from where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from regrow.lineage.errors import Unanswerable

MANIFEST = "sources/manifest.yaml"


@dataclass
class Source:
    """One source of documents: what carries the same `source` name in every table."""

    name: str
    licence: str
    title: str = ""
    origin: str = ""
    """kind, package and version of the archive that it was taken from; "" for our own pages"""
    sha256: str = ""
    """of that archive"""
    places: list[str] = field(default_factory=list)
    """host and path under which its pages are served"""
    files: list[str] = field(default_factory=list)
    """committed files that hold it, below the root"""

    def as_json(self) -> dict[str, Any]:
        """The fields as a mapping."""
        return dict(vars(self))


def manifest(root: Path) -> list[Source]:
    """The sources below `root`, in the order of the manifest; [] where there is none.

    Raises:
        Unanswerable: the manifest cannot be read.
    """
    path = root / MANIFEST
    if not path.is_file():
        return []
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        hosts = raw["hosts"].items()
        found: dict[tuple[str, str], Source] = {}
        for host, entry in hosts:
            files = [entry["archive"]] if "archive" in entry else list(entry.get("foreign", []))
            for part in entry["parts"]:
                _add(found, host, part, files)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise Unanswerable(
            f"{MANIFEST}: cannot be read ({type(error).__name__}: {error}). "
            f"Restore it with `git checkout -- {MANIFEST}`."
        ) from None
    return list(found.values())


def _add(
    found: dict[tuple[str, str], Source], host: str, part: dict[str, Any], files: list[str]
) -> None:
    name, licence = str(part["source"]), str(part.get("licence") or "unknown")
    source = found.setdefault((name, licence), Source(name, licence, str(part.get("title") or "")))
    origin = part.get("origin") or {}
    if origin and not source.origin:
        source.origin = " ".join(str(origin.get(k, "")) for k in ("kind", "package", "version"))
        source.sha256 = str(origin.get("sha256") or "")
    source.places.append(f"{host}{part['prefix']}")
    source.files += [f"sources/{file}" for file in files if f"sources/{file}" not in source.files]


def source_files(root: Path, sources: list[Source]) -> list[dict[str, Any]]:
    """The committed files that the sources lie in: path, size (bytes), SHA-256, source names."""
    holders: dict[str, list[str]] = {}
    for source in sources:
        for file in source.files:
            holders.setdefault(file, []).append(source.name)
    rows = []
    for file, names in sorted(holders.items()):
        path = root / file
        there = path.is_file()
        rows.append(
            {
                "path": file,
                "size": path.stat().st_size if there else None,
                "sha256": _sha256(path) if there else None,
                "sources": names,
            }
        )
    return rows


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
