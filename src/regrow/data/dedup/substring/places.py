"""Bytes of a file by their place: read and written in pieces, never mapped, so that none counts as memory for long."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from regrow.data.tables import pieces


class Places:
    """A file in which bytes have a place; close it."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open a file that is there; with `size`, make one of so many zeros."""
        flags = os.O_RDWR | (os.O_CREAT if size is not None else 0)
        self._file = os.open(path, flags, 0o600)
        if size is not None:
            os.ftruncate(self._file, size)

    def read(self, start: int, size: int) -> bytes:
        """Some bytes of the file, fewer where it ends."""
        return pieces.read(self._file, start, size)

    def joined(self, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pieces of the file, one after the other."""
        parts = [self.read(*piece) for piece in zip(starts.tolist(), sizes.tolist(), strict=True)]
        return np.frombuffer(b"".join(parts), np.uint8)

    def put(self, places: NDArray[np.int64], value: int) -> None:
        """Write one byte at all of these places."""
        found = np.unique(places)
        edges = np.flatnonzero(np.diff(found, prepend=found[:1] - 2) != 1)
        for first, count in zip(
            found[edges].tolist(), np.diff(edges, append=len(found)).tolist(), strict=True
        ):
            os.pwrite(self._file, bytes([value]) * count, first)

    def __enter__(self) -> Places:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
