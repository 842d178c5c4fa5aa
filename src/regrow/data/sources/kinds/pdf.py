"""Files of PDF. A file is a document, whose text is read in the order of its layout."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regrow.data.pdf import client, ocr
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.step import filled
from regrow.data.sources.whole import record
from regrow.data.text.document import Dropped
from regrow.data.text.record import Record
from regrow.params.readers.pdf import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes
OCR = "ocr"
"""the input with what OCR read"""
_SHOWN = 20
"""damaged rows that are named"""


def read(path: Path, name: str, source: Source) -> Iterator[Refused | Record]:
    """The document of a file."""
    yield record(path, name, source, "application/pdf")


def run(
    inputs: Mapping[str, Path],
    params: Any,
    output: Path,
    *,
    source: Mapping[str, Any],
    instance: str,
) -> dict[str, Any]:
    """Fill `output` as `regrow.data.sources.step.filled` does.

    Args:
        inputs: files, and as `ocr` a file or folder of what OCR read (`regrow.data.pdf.ocr`).

    The record's counts say under `pdf` how many pages were read, how many are scanned and how many of those OCR read.
    """
    files = {name: path for name, path in inputs.items() if name != OCR}
    frozen = ocr.load(inputs[OCR]) if OCR in inputs else None
    for fault in frozen.faults[:_SHOWN] if frozen else ():
        print(f"{source['name']}.ocr: {fault}. It is not used.", file=sys.stderr, flush=True)
    parser = _Parser(params.text, frozen)
    counts = filled(files, params, output, source, instance, (SUFFIXES, read), parser)
    told = {f"ocr_{name}": count for name, count in (frozen.counts if frozen else {}).items()}
    return {**counts, "pdf": dict(sorted({**parser.counts, **told}.items()))}


class _Parser(client.Client):
    """The line to the process that reads PDFs, with the metadata in what it gives."""

    def __enter__(self) -> _Parser:
        return self

    def send(self, record: Record) -> None:
        self._body = record.body
        super().send(record)

    def receive(self) -> Item | Dropped:  # type: ignore[override]
        body = self._body
        found = super().receive()
        if isinstance(found, Dropped):
            return found
        return Item(
            found.text, body, url=found.url, title=found.title, mime=found.mime, charset=found.charset,
            repaired=found.repaired, metadata=self.metadata,
        )  # fmt: skip
