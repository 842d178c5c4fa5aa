"""Names by which the standards call things: UUIDs, package URLs, media types, licences."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from regrow.selection import parse

MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".gz": "application/gzip",
    ".bin": "application/octet-stream",
    ".safetensors": "application/octet-stream",
    ".txt": "text/plain",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".jinja": "text/plain",
}
PRODUCER = "urn:regrow"
"""the producer's URI where a standard asks for one"""


def run_id(key: str) -> str:
    """The UUID (version 5) of the run that a step key means: equal keys, equal runs."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:regrow:key:{key}"))


def document_id(format: str, digest: str) -> str:
    """The UUID (version 5) of an export of a format about the artifact with that digest."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:regrow:{format}:{digest}"))


def purl(name: str, version: str) -> str:
    """Package URL of a distribution of the Python Package Index."""
    return f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}"


def media_type(path: str) -> str:
    """Media type by suffix."""
    return MEDIA.get(PurePosixPath(path).suffix, "application/octet-stream")


def spdx(licences: Iterable[str]) -> str:
    """One SPDX expression for text under several licences, "" for none: A AND B."""
    names = sorted(set(licences))
    return " AND ".join(f"({n})" if " OR " in n and len(names) > 1 else n for n in names)


def licence_url(licence: str) -> str | None:
    """The page of an SPDX licence; None for a LicenseRef, an expression or `unknown`."""
    if licence.startswith(("LicenseRef", "DocumentRef")) or " " in licence or licence == "unknown":
        return None
    return f"https://spdx.org/licenses/{quote(licence)}"


def canonical(value: Any) -> str:
    """JSON as the records have it: two spaces, UTF-8, final newline; keys in the given order."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def is_selection(root: Path, path: str) -> bool:
    """Whether an input's path stands for a folder or for some of its files (`regrow.selection`), not for one file."""
    chosen = parse(path)
    return bool(chosen.pattern) or (root / chosen.folder).is_dir()
