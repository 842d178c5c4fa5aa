"""What a pass over the documents found out, on disk until the next pass over them reads it.

So the n-grams of a document are made once, however many passes there are, and nothing of a document is held.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = struct.Struct("<qII")


def _none() -> NDArray[np.uint32]:
    return np.empty(0, np.uint32)


@dataclass(frozen=True)
class Note:
    """A document that is held out, or its n-grams that held-out documents have, or why it goes."""

    held: bool = False
    size: int = 0
    """how many n-grams it has"""
    hits: NDArray[np.uint32] = field(default_factory=_none)
    """which of the held-out n-grams are among them, as places in their list, ascending"""
    drop: tuple[Any, ...] | None = None
    """reason, value, threshold and detail"""


class Notes:
    """Writes notes, one for each document in order."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Notes:
        self._file = self._path.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, note: Note) -> None:
        """Append a note."""
        drop = json.dumps(note.drop).encode() if note.drop else b""
        self._file.write(_HEAD.pack(-1 if note.held else note.size, len(note.hits), len(drop)))
        self._file.write(note.hits.astype("<u4", copy=False).tobytes())
        self._file.write(drop)


def read(path: Path) -> Iterator[Note]:
    """The notes in order."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            size, hits, drop = _HEAD.unpack(head)
            found = np.frombuffer(file.read(4 * hits), "<u4")
            text = file.read(drop)
            yield Note(size < 0, max(size, 0), found, tuple(json.loads(text)) if drop else None)
