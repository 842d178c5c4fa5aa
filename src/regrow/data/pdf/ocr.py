"""What OCR read on the pages of PDFs, frozen as files: rows of JSON as olmOCR writes them, and where each is.

A row is a PDF: `text`, `attributes.pdf_page_numbers` (`[[begin, end, page], …]`, characters, pages from 1) and
`metadata` (olmocr 0.4, `build_dolma_document`). `metadata.sha256` is ours: the digest of the PDF's bytes, by which a
row is found whatever its PDF is called. `regrow sources ocr` adds it, and leaves dates out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow import selection

_SUFFIX = ".jsonl"
_LONGEST = 64 << 20
"""bytes of a row"""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Reading:
    """What OCR read in a PDF."""

    sha256: str
    """of the PDF's bytes; "" where the row does not say it"""
    name: str
    """the file that OCR read"""
    total: int
    """pages that the PDF had for OCR; 0 where the row does not say it"""
    pages: Mapping[int, str]
    """page, from 1 -> its text"""
    row: Mapping[str, Any]


class DamagedError(Exception):
    """A row that cannot be used; the message says why."""


def parsed(line: bytes) -> Reading:
    """A row.

    Raises:
        DamagedError: it is not JSON of that form, its pages are not parts of its text, or it has changed since its
            digests were written.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise DamagedError("is not JSON") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise DamagedError("has no `text`")
    about, attributes = row.get("metadata") or {}, row.get("attributes") or {}
    if not isinstance(about, dict) or not isinstance(attributes, dict):
        raise DamagedError("has a `metadata` or `attributes` that is no object")
    pages = _pages(row["text"], attributes.get("pdf_page_numbers"))
    digest = about.get("sha256", "")
    if digest and (not isinstance(digest, str) or len(digest) != 64 or not _HEX.issuperset(digest)):
        raise DamagedError("has a `metadata.sha256` that is none")
    written = attributes.get("page_sha256")
    if written is not None and written != page_digests(pages):
        raise DamagedError("has other text than its `attributes.page_sha256` says")
    total = about.get("pdf-total-pages", 0)
    if type(total) is not int or total < 0:
        raise DamagedError("has a `metadata.pdf-total-pages` that is no number")
    return Reading(digest, str(about.get("Source-File", "")), total, pages, row)


def _pages(text: str, spans: Any) -> dict[int, str]:
    if not isinstance(spans, list):
        raise DamagedError("has no `attributes.pdf_page_numbers`")
    found: dict[int, str] = {}
    last = 0
    for span in spans:
        sound = isinstance(span, list) and len(span) == 3 and all(type(n) is int for n in span)
        if not sound or not last <= span[0] <= span[1] <= len(text) or span[2] < 1:
            raise DamagedError("has `attributes.pdf_page_numbers` that are no parts of its text")
        if span[2] in found:
            raise DamagedError(f"has page {span[2]} twice")
        found[span[2]] = text[span[0] : span[1]]
        last = span[1]
    return found


def page_digests(pages: Mapping[int, str]) -> list[str]:
    """SHA-256 of the text of each page, in their order in the row."""
    return [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in pages.values()]


@dataclass
class Frozen:
    """The rows of frozen files, found by the digest of their PDF. Holds their places, not their texts."""

    places: dict[str, tuple[Path, int, int]] = field(default_factory=dict)
    """digest -> file, offset and length of the row; of several rows the first"""
    names: dict[str, str] = field(default_factory=dict)
    """digest -> the file that OCR read"""
    counts: Counter[str] = field(default_factory=Counter)
    """rows: read, damaged, repeated (a digest again), unnamed (without a digest)"""
    faults: list[str] = field(default_factory=list)
    """a sentence for each damaged row"""

    def reading(self, sha256: str) -> Reading | None:
        """What OCR read in the PDF of this digest."""
        place = self.places.get(sha256)
        if place is None:
            return None
        path, offset, length = place
        with path.open("rb") as file:
            file.seek(offset)
            return parsed(file.read(length))


def load(path: Path) -> Frozen:
    """The rows of a file, or of all `.jsonl` files of a folder or pattern, in the order of their names."""
    found = Frozen()
    for name, file in selection.files(path):
        if name.endswith(_SUFFIX):
            for number, offset, line in _rows(file):
                _note(found, f"{name}, line {number}", (file, offset, len(line)), line)
    return found


def _rows(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(number, offset, bytes) of the rows of a file; one that is too long comes as its beginning."""
    offset = 0
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            size = len(line)
            whole = line.endswith(b"\n") or size < _LONGEST
            while not whole and (more := file.readline(_LONGEST)):
                size += len(more)
                whole = more.endswith(b"\n")
            if line.strip():
                yield number, offset, line
            offset += size


def _note(found: Frozen, where: str, place: tuple[Path, int, int], line: bytes) -> None:
    found.counts["rows"] += 1
    try:
        one = parsed(line)
    except DamagedError as error:
        found.counts["damaged"] += 1
        found.faults.append(f"{where}: {error}")
        return
    if not one.sha256:
        found.counts["unnamed"] += 1
    elif one.sha256 in found.places:
        found.counts["repeated"] += 1
    else:
        found.places[one.sha256] = place
        found.names[one.sha256] = one.name
