"""Some documents of a large table, by their rows: one pass writes them to a file, from which each is read alone.

Copies are anywhere in a table sorted by id. A row group for each of them would be read again for nearly every one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.sequences import Sequences
from regrow.data.tables import passes

_ABOUT = ("url", "source", "id")


@dataclass(frozen=True)
class _Part:
    """What one pass wrote: where the heads and texts of these rows (ascending) begin; one place more at the end."""

    file: BinaryIO
    rows: NDArray[np.int64]
    heads: NDArray[np.int64]
    texts: NDArray[np.int64]


class Texts:
    """Documents of a table that are asked for again: what a document is called, and the n-grams of its text.

    Args:
        path: the table.
        n: words of an n-gram.
        scratch: a folder for the files.

    Held are 24 bytes for each document that was read.
    """

    def __init__(self, path: Path, n: int, scratch: Path) -> None:
        self._path, self._scratch = path, scratch
        self._parts: list[_Part] = []
        self._reader = Sequences(n)

    def read(self, rows: NDArray[np.int64], texts: bool) -> None:
        """Read documents (ascending rows), with their texts or without, in one pass over the table."""
        heads, begins = np.zeros(len(rows) + 1, np.int64), np.zeros(len(rows) + 1, np.int64)
        file = (self._scratch / f"texts-{len(self._parts):05d}").open("w+b")
        self._parts.append(_Part(file, rows, heads, begins))
        if not len(rows):
            return
        wanted = np.zeros(int(rows[-1]) + 1, bool)
        wanted[rows] = True
        columns = [*_ABOUT, "text"] if texts else [*_ABOUT]
        found = passes.picked(
            self._path, [], lambda place, _: place < len(wanted) and bool(wanted[place]), columns
        )
        for at, (_, row) in enumerate(found):
            begins[at] = heads[at] + file.write(json.dumps([row[name] for name in _ABOUT]).encode())
            heads[at + 1] = begins[at] + file.write((row.get("text") or "").encode())

    def about(self, row: int) -> tuple[str | None, str | None, str]:
        """URL, source and id of a document that was read."""
        part, at = self._place(row)
        url, source, own = json.loads(_bytes(part.file, part.heads[at], part.texts[at]))
        return url, source, own

    def sequences(self, rows: Iterable[int]) -> Iterator[NDArray[np.uint64]]:
        """The n-grams of several documents that were read with their texts, each in order of place."""
        return self._reader.of(map(self._text, rows))

    def _text(self, row: int) -> str:
        part, at = self._place(row)
        return _bytes(part.file, part.texts[at], part.heads[at + 1]).decode()

    def _place(self, row: int) -> tuple[_Part, int]:
        for part in reversed(self._parts):
            at = int(np.searchsorted(part.rows, row))
            if at < len(part.rows) and part.rows[at] == row:
                return part, at
        raise KeyError(row)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.file.close()


def _bytes(file: BinaryIO, start: np.int64, end: np.int64) -> bytes:
    file.seek(int(start))
    return file.read(int(end - start))
