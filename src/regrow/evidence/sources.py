"""What the flow begins with: the sources of the manifest and the committed files they are in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regrow.data.crawl import manifest
from regrow.engine.hashing import sha256_file
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.release.composition import Source
from regrow.release.composition import sources as sources_of
from regrow.release.corpora import reads

MANIFEST = "sources/manifest.yaml"


def crawled(chain: Iterable[Record]) -> bool:
    """Whether the manifest says where text of a chain came from: not where it was all read from the recipe's sources."""
    functions = {record.function for record in chain}
    return "regrow.data.crawl.step:crawl" in functions or not any(map(reads, functions))


def sources(root: Path) -> list[Source]:
    """The sources of the manifest below `root`; [] where there is none.

    Raises:
        Unanswerable: the manifest cannot be read.
    """
    path = root / MANIFEST
    try:
        return sources_of(path) if path.is_file() else []
    except manifest.ManifestError as error:
        raise Unanswerable(f"{error}. Restore it with `git checkout -- {MANIFEST}`.") from None


def source_files(root: Path) -> list[dict[str, Any]]:
    """The committed files that hold the sources: path, size (bytes), sha256, and the hosts in it."""
    path = root / MANIFEST
    if not path.is_file():
        return []
    holders: dict[str, list[str]] = {}
    for host, entry in manifest.load(path).hosts.items():
        for file in [*([entry.archive] if entry.archive else []), *entry.foreign]:
            holders.setdefault(f"sources/{file}", []).append(host)
    return [
        {
            "path": file,
            "size": (root / file).stat().st_size if (root / file).is_file() else None,
            "sha256": sha256_file(root / file) if (root / file).is_file() else None,
            "hosts": hosts,
        }
        for file, hosts in sorted(holders.items())
    ]


def licences(found: list[Source]) -> list[dict[str, Any]]:
    """Licences, each with the names of its sources."""
    table: dict[str, list[str]] = {}
    for source in found:
        table.setdefault(source.licence, []).append(source.name)
    return [{"licence": name, "sources": table[name]} for name in sorted(table)]
