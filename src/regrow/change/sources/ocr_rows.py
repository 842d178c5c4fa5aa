"""Rows of OCR and the PDFs of a source: which belong together, and the frozen file that is written of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from regrow import selection
from regrow.change.sources.named import is_frozen
from regrow.data.pdf import ocr
from regrow.data.sources.item import Refused
from regrow.data.sources.kinds.pdf import SUFFIXES
from regrow.data.sources.whole import content
from regrow.evidence.errors import Unanswerable
from regrow.params.source import Source

_KEPT = ("olmocr-version", "pdf-total-pages", "total-fallback-pages")
"""fields of olmOCR's metadata that a frozen row keeps; dates and paths of a machine are none"""


@dataclass(frozen=True)
class File:
    """A PDF of a source."""

    name: str
    """below the source's folder"""
    path: Path
    sha256: str
    """of the PDF, unpacked"""


def files(root: Path, source: Source) -> list[File]:
    """The PDFs of a source that can be read, by name; of several with equal bytes the first.

    Raises:
        Unanswerable: the source is fetched, and its files are not on this machine.
    """
    found: dict[str, File] = {}
    for name, path in _paths(root, source):
        body = content(path, name, source) if name.lower().endswith(SUFFIXES) else None
        if isinstance(body, bytes):
            digest = hashlib.sha256(body).hexdigest()
            found.setdefault(digest, File(name, path, digest))
    return sorted(found.values(), key=lambda one: one.name)


def body(file: File, source: Source) -> bytes:
    """The bytes of a PDF, unpacked."""
    read = content(file.path, file.name, source)
    assert not isinstance(read, Refused)
    return read


def _paths(root: Path, source: Source) -> list[tuple[str, Path]]:
    if not is_frozen(source):
        return [pair for path in source.files for pair in selection.files(root / path)]
    places = sorted((root / f"data/fetch_{source.name}").glob("*/files"))
    if not places:
        raise Unanswerable(
            f"{source.name}: its files are not on this machine. Fix: `snakemake fetch_{source.name}_all`, or "
            f"`dvc pull data/fetch_{source.name}`."
        )
    found = [
        (path.relative_to(place).as_posix(), path) for place in places for path in place.rglob("*")
    ]
    return sorted(pair for pair in found if pair[1].is_file())


def matched(
    readings: Iterable[ocr.Reading], known: Iterable[File]
) -> tuple[dict[str, ocr.Reading], list[str]]:
    """Digest -> reading; and the names of readings that belong to no PDF of the source, or to several.

    By the digest of the row, by a file that is called by its digest, or by the only PDF of that name.
    """
    listed = list(known)
    digests = {one.sha256 for one in listed}
    by_name: dict[str, list[str]] = {}
    for one in listed:
        by_name.setdefault(_stem(one.name), []).append(one.sha256)
    found: dict[str, ocr.Reading] = {}
    lost = []
    for reading in readings:
        stem = _stem(reading.name)
        same = by_name.get(stem, [])
        digest = reading.sha256 or (stem if stem in digests else same[0] if len(same) == 1 else "")
        if digest in digests:
            found.setdefault(digest, reading)
        else:
            lost.append(reading.name or "a row without a file")
    return found, sorted(lost)


def _stem(name: str) -> str:
    last = PurePosixPath(name.replace("::", "/")).name.lower()
    return last.removesuffix(".gz").removesuffix(".pdf")


def row(file: File, reading: ocr.Reading, how: Mapping[str, Any]) -> dict[str, Any]:
    """A frozen row: olmOCR's, with the digest of the PDF and of each page's text, and without dates.

    Args:
        how: model, model_revision, parameters: as they are to be quoted.
    """
    about = reading.row.get("metadata") or {}
    text = str(reading.row["text"])
    kept = {name: about[name] for name in _KEPT if name in about}
    said = {
        name: about[name] for name in ("model", "model_revision", "parameters") if name in about
    }
    return {
        "id": hashlib.sha1(text.encode("utf-8", "replace")).hexdigest(),
        "text": text,
        "source": "olmocr",
        "metadata": {**kept, **said, **how, "Source-File": file.name, "sha256": file.sha256},
        "attributes": {
            "pdf_page_numbers": reading.row["attributes"]["pdf_page_numbers"],
            "page_sha256": ocr.page_digests(reading.pages),
        },
    }


def written(rows: Iterable[Mapping[str, Any]]) -> str:
    """A frozen file: a row on each line, by the digests of the PDFs."""
    ordered = sorted(rows, key=lambda one: str(one["metadata"]["sha256"]))
    return "".join(f"{json.dumps(one, sort_keys=True, ensure_ascii=False)}\n" for one in ordered)
