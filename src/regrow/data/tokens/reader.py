"""Reading what the pack step wrote: sequences, and which documents are in them.

Nothing is read but what is asked for: tokens are memory-mapped, and both directions between
documents and sequences are binary searches in the index.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regrow.data.tables import parquet as tables


class Piece(NamedTuple):
    """Tokens `start` .. `end` (excluded) of sequence `sequence`, which belong to an instance."""

    instance: int
    id: str
    repeat: int
    sequence: int
    start: int
    end: int


class Packed:
    """A folder of packed sequences."""

    def __init__(self, folder: Path) -> None:
        """Open the folder.

        Raises:
            ValueError: tokens.bin has not the size that meta.json says.
        """
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        self.sequences = int(meta["sequences"])
        self.sequence_length = int(meta["sequence_length"])
        self.eos, self.pad = int(meta["eos"]), int(meta["pad"])
        path = folder / "tokens.bin"
        wanted = 2 * self.sequences * self.sequence_length
        if path.stat().st_size != wanted:
            raise ValueError(
                f"{path}: {path.stat().st_size} bytes, but meta.json says {self.sequences} "
                f"sequences of {self.sequence_length} two-byte tokens ({wanted} bytes); "
                "restore or rebuild the folder"
            )
        self._tokens: NDArray[np.uint16] = np.memmap(
            path, dtype="<u2", mode="r", shape=(self.sequences, self.sequence_length)
        )
        index = tables.read(folder / "index.parquet")
        self._ids: list[str] = index["id"].to_list()
        self._repeats: list[int] = index["repeat"].to_list()
        self._numbers: list[int] = index["instance"].to_list()
        self._start = index["start"].to_numpy()
        self._end = index["end"].to_numpy()
        self._by_id = np.array(sorted(range(len(self._ids)), key=lambda i: (self._ids[i], i)))
        self._sorted_ids = [self._ids[i] for i in self._by_id.tolist()]

    def __len__(self) -> int:
        """Number of sequences."""
        return self.sequences

    def take(self, indices: ArrayLike) -> NDArray[np.uint16]:
        """Copies of the sequences at `indices`: (..., sequence_length), uint16."""
        return np.array(self._tokens[np.asarray(indices)])

    def instance(self, row: int) -> NDArray[np.uint16]:
        """Tokens of the instance in index row `row`, its end-of-document token included."""
        flat = self._tokens.reshape(-1)
        return np.array(flat[int(self._start[row]) : int(self._end[row])])

    def documents_of_sequence(self, i: int) -> list[Piece]:
        """The pieces of documents that make up sequence i, in order; they tile it."""
        self._check(i)
        low, high = i * self.sequence_length, (i + 1) * self.sequence_length
        first = int(np.searchsorted(self._end, low, side="right"))
        last = int(np.searchsorted(self._start, high, side="left"))
        return [self._piece(row, i) for row in range(first, last)]

    def sequences_of_document(self, identity: str) -> list[Piece]:
        """Every piece of a document, in the order of the stream; empty if it is not in it."""
        rows = self._by_id[
            bisect_left(self._sorted_ids, identity) : bisect_right(self._sorted_ids, identity)
        ]
        pieces: list[Piece] = []
        for row in rows.tolist():
            first = int(self._start[row]) // self.sequence_length
            last = (int(self._end[row]) - 1) // self.sequence_length
            pieces.extend(self._piece(row, i) for i in range(first, last + 1))
        return pieces

    def boundaries(self, i: int) -> list[int]:
        """Offsets in sequence i at which a piece begins (the first is 0), for document masks."""
        return [piece.start for piece in self.documents_of_sequence(i)]

    def _piece(self, row: int, i: int) -> Piece:
        low = i * self.sequence_length
        start = max(int(self._start[row]) - low, 0)
        end = min(int(self._end[row]) - low, self.sequence_length)
        return Piece(self._numbers[row], self._ids[row], self._repeats[row], i, start, end)

    def _check(self, i: int) -> None:
        if not 0 <= i < self.sequences:
            raise IndexError(f"sequence {i} is outside 0 .. {self.sequences - 1}")
