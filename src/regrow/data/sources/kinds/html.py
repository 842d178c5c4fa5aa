"""Files of HTML and XHTML. A file is a page, which the parser of pages reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from regrow.data.sources.item import Refused
from regrow.data.sources.step import reading
from regrow.data.sources.whole import record
from regrow.data.text.record import Record
from regrow.params.readers.html import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes


def read(path: Path, name: str, source: Source) -> Iterator[Refused | Record]:
    """The page of a file."""
    xhtml = name.lower().removesuffix(".gz").endswith(".xhtml")
    yield record(path, name, source, "application/xhtml+xml" if xhtml else "text/html")


run = reading(SUFFIXES, read)
