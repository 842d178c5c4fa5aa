"""Files of PDF. A file is a document, which the parser of PDF reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from regrow.data.sources.item import Refused
from regrow.data.sources.step import reading
from regrow.data.sources.whole import record
from regrow.data.text.record import Record
from regrow.params.source import Source

SUFFIXES = (".pdf", ".pdf.gz")


def read(path: Path, name: str, source: Source) -> Iterator[Refused | Record]:
    """The document of a file."""
    yield record(path, name, source, "application/pdf")


run = reading(SUFFIXES, read)
