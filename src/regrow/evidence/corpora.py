"""The sources that a recipe names, by the records of the steps that read them, and what those steps counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.evidence.record import Record
from regrow.release.corpora import in_parts, reads
from regrow.selection import beside, parse

if TYPE_CHECKING:
    from regrow.release.composition import Source


def records(chain: Iterable[Record]) -> list[Record]:
    """The jobs of a chain that read a part of a source; [] where the recipe names none."""
    return [record for record in chain if reads(record.function)]


def stated(chain: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Name -> entry of the recipe (kind, files, licence, origin ...) of each source that was read, by name."""
    found = {}
    for record in records(chain):
        entry = record.options.get("source")
        if isinstance(entry, dict):
            found[str(entry.get("name", ""))] = entry
    return dict(sorted(found.items()))


def sources(chain: Iterable[Record]) -> list[Source]:
    """The sources of the recipe, as those of the manifest are reported; licence and origin are the recipe's words."""
    from regrow.release.composition import Source  # polars, which no lookup needs

    return [
        Source(
            name,
            str(entry.get("licence", "")),
            origin=str(entry.get("origin", "")),
            kind=str(entry.get("kind", "")),
            files=tuple(map(str, entry.get("files") or ())),
        )
        for name, entry in stated(chain).items()
    ]


def files(root: Path, chain: Iterable[Record]) -> list[dict[str, Any]]:
    """What the sources of the recipe are in: a row for each path or pattern that it names.

    Fields: path, source, parts (jobs that read it), size (bytes on disk, None where nothing is there), sha256, and no
    hosts (see `regrow.evidence.sources.source_files`). `sha256` is the digest that the record names; of several
    parts that of the lines `<digest>  <path of the part>`, in the order of the parts.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for record in records(chain):
        name = str((record.options.get("source") or {}).get("name", ""))
        for key, entry in record.inputs.items():
            if entry.get("kind") == "source":
                path = str(entry["path"])
                digests = found.setdefault((parse(path).whole, name), {})
                digests[path] = str(record.parts["inputs"].get(key))
    return [
        {
            "path": path,
            "source": name,
            "parts": len(digests),
            "size": _size(root, path),
            "sha256": _joined(digests),
            "hosts": [],
        }
        for (path, name), digests in sorted(found.items())
    ]


def _joined(digests: dict[str, str]) -> str:
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _size(root: Path, path: str) -> int | None:
    from regrow.engine.state import FileTree

    tree = FileTree(root, path)
    if not tree.path.exists():
        return None
    listing = tree.listing()
    return sum(stat.st_size for name, stat in listing.items() if not beside(name))


def summed(rows: Iterable[tuple[Record, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What steps counted of documents (`step`, `in`, `kept`, `dropped`), the parts of a source added up to one row."""
    found: list[dict[str, Any]] = []
    parts: dict[str, dict[str, Any]] = {}
    for record, counted in rows:
        if not in_parts(record.function) or record.instance is None:
            found.append({"step": record.name, **counted})
            continue
        known = parts.get(record.step)
        if known is None:
            parts[record.step] = known = {"step": record.step, **counted, "parts": 1}
            found.append(known)
            continue
        known["parts"] += 1
        for name in ("in", "kept"):
            known[name] = (known[name] or 0) + (counted[name] or 0)
        lost = Counter(known["dropped"]) + Counter(counted["dropped"])
        known["dropped"] = dict(sorted(lost.items(), key=lambda item: (-item[1], item[0])))
    return found
