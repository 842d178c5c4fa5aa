"""Sorting more entries than memory holds: sorted runs on disk, merged in pieces that fit.

Pieces are cut at sampled keys, so that the merge is a few large sorts in memory and not one comparison
per entry (sample sort).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regrow.evidence.lookup.grow import Entries

ROOM = 1 << 23
"""entries that are sorted in memory at a time (of 16 bytes; sorting takes as much again twice)"""
_EVERY = 4096
"""a key in so many of a run is kept in memory: pieces are cut there, and searching reads no more than that"""


class Run(NamedTuple):
    """Sorted entries on disk: all keys, then all values."""

    path: Path
    length: int
    sample: NDArray[np.uint64]
    """every `_EVERY`th key"""

    def keys(self, start: int, end: int) -> NDArray[np.uint64]:
        """Keys start .. end - 1."""
        return np.fromfile(self.path, "<u8", end - start, offset=8 * start)

    def part(self, start: int, end: int) -> Entries:
        """Entries start .. end - 1."""
        values = np.fromfile(self.path, "<u8", end - start, offset=8 * (self.length + start))
        return self.keys(start, end), values

    def place(self, key: int) -> int:
        """The number of keys below `key`."""
        start = max(0, int(np.searchsorted(self.sample, np.uint64(key))) - 1) * _EVERY
        block = self.keys(start, min(start + _EVERY, self.length))
        return start + int(np.searchsorted(block, np.uint64(key)))


def ordered(
    chunks: Iterable[Entries], folder: Path, room: int = ROOM, prefix: str = "sort."
) -> Iterator[Entries]:
    """The entries in ascending order of key; equal keys in the order in which they came.

    Args:
        chunks: in any order.
        folder: where runs may be while they are needed (as many bytes as the entries have).
        room: entries in memory at a time.
        prefix: of the folder of the runs, in `folder`.
    """
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=prefix) as place:
        waiting: list[Entries] = []
        for chunk in _cut(chunks, room):
            if sum(len(keys) for keys, _ in waiting) + len(chunk[0]) > room and waiting:
                runs.append(_spill(_sorted(waiting), Path(place) / f"{len(runs)}.run"))
                waiting = []
            waiting.append(chunk)
        if not runs:
            if waiting:
                yield _sorted(waiting)
            return
        runs.append(_spill(_sorted(waiting), Path(place) / f"{len(runs)}.run"))
        waiting = []
        yield from _merged(runs, room)


def _cut(chunks: Iterable[Entries], room: int) -> Iterator[Entries]:
    for keys, values in chunks:
        for start in range(0, len(keys), room):
            yield keys[start : start + room], values[start : start + room]


def _sorted(chunks: list[Entries]) -> Entries:
    keys = np.concatenate([keys for keys, _ in chunks])
    values = np.concatenate([values for _, values in chunks])
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]


def _spill(entries: Entries, path: Path) -> Run:
    with path.open("wb") as file:
        for part in entries:
            file.write(np.ascontiguousarray(part, "<u8").data)
    return Run(path, len(entries[0]), entries[0][::_EVERY].copy())


def _merged(runs: list[Run], room: int) -> Iterator[Entries]:
    sample = np.sort(np.concatenate([run.sample for run in runs]))
    pieces = -(-2 * sum(run.length for run in runs) // room)
    cuts = np.unique(sample[np.linspace(0, len(sample) - 1, pieces + 1).astype(int)[1:-1]])
    places = [[0, *map(run.place, cuts.tolist()), run.length] for run in runs]
    for piece in range(len(cuts) + 1):
        parts = [run.part(at[piece], at[piece + 1]) for run, at in zip(runs, places, strict=True)]
        if any(len(keys) for keys, _ in parts):
            yield _sorted(parts)
