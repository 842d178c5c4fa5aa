"""The protocol of readers, and the reader of a kind.

A reader is a module of `regrow.data.sources.kinds`, called like the kind of source. It has

    SUFFIXES: tuple[str, ...]    endings of the files that it reads, in small letters, packed forms included: as a rule
                                 `FILES.suffixes` of the module of `regrow.params.readers` with the same name
    def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused | Record]

    run = reading(SUFFIXES, read)    the step (`regrow.data.sources.step`)

`path` is the file, `name` its path below the source's folder with `/`. What is text already comes as an `Item`;
what a parser must open first (HTML, PDF, an HTTP answer) as a `Record`, which is read in a process of its own with
limits of time and memory. Nothing that a reader says of a document may depend on how the rows were cut into files:
neither a file's name nor a line's number, but for kinds in which a file is a document.

A reader raises nothing at bad input: what cannot be read is `Refused`, with its place, and the reader goes on
where it can. It holds one document at a time.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from regrow.data.sources import kinds
from regrow.data.sources.item import Item, Refused
from regrow.data.text.record import Record
from regrow.params.source import Source


class Reader(Protocol):
    """A module of `regrow.data.sources.kinds`."""

    SUFFIXES: tuple[str, ...]

    @staticmethod
    def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused | Record]:
        """The documents of a file, one at a time."""
        ...


def reader(kind: str) -> Reader:
    """The reader of a kind of source, found by its place: no step reaches this module, so no key misses it."""
    return cast(Reader, importlib.import_module(f"{kinds.__name__}.{kind}"))
