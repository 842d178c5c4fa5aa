"""`regrow sources list`: the corpora of a recipe, and what of them is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regrow import selection
from regrow.change.sources.named import fits, is_frozen, list_of, sources
from regrow.data.sources import shelf
from regrow.data.sources.frozen import FrozenError
from regrow.params.corpora import CRAWL
from regrow.params.source import Source


def listed(root: Path, recipe: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """One row for each source: kind, where its files are, how many files and bytes, licence, origin, shards.

    `where`: `crawl`, `local`, `frozen`; `missing`: a sentence for each thing without which it cannot be read;
    `fetched`: of a frozen list, the files whose bytes are on this machine.
    """
    return {"recipe": recipe, "sources": [_row(root, recipe, s) for s in sources(root, recipe, names)]}  # fmt: skip


def _row(root: Path, recipe: str, source: Source) -> dict[str, Any]:
    about: dict[str, Any] = {"name": source.name, "kind": source.kind}
    if source.kind == CRAWL:
        found: dict[str, Any] = {
            "where": CRAWL,
            "files": None,
            "bytes": None,
            "fetched": None,
            "missing": [],
        }
    elif is_frozen(source):
        found = _frozen(root, recipe, source)
    else:
        found = _local(root, source)
    return about | found | {"licence": source.licence, "origin": source.origin, "shards": source.shards}  # fmt: skip


def _local(root: Path, source: Source) -> dict[str, Any]:
    files: dict[Path, int] = {}
    missing = []
    for path in source.files:
        place = root / selection.parse(path).folder
        found = selection.files(root / path) if place.exists() else []
        if not found:
            missing.append(f"`{path}` finds no file")
        files |= {one: one.stat().st_size for _, one in found}
    return {"where": "local", "files": len(files), "bytes": sum(files.values()), "fetched": None, "missing": missing}  # fmt: skip


def _frozen(root: Path, recipe: str, source: Source) -> dict[str, Any]:
    fix = f"`regrow sources freeze {recipe} {source.name}`"
    row: dict[str, Any] = {"where": "frozen", "files": None, "bytes": None, "fetched": None}
    try:
        found = list_of(root, source)
    except FrozenError as error:
        return row | {"missing": [str(error)]}
    if found is None:
        return row | {"missing": [f"not frozen: {fix}"]}
    kept = shelf.folder(root)
    row |= {
        "files": len(found.files),
        "bytes": sum(entry.size for entry in found.files),
        "fetched": sum((kept / entry.sha256).is_file() for entry in found.files),
    }
    return row | {"missing": [] if fits(source, found) else [f"frozen for other files: {fix}"]}
