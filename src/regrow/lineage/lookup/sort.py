"""Sorting more entries than memory holds: sorted runs on disk, merged in pieces that fit.

Pieces are cut at sampled keys, so that the merge is a few large sorts in memory and not one comparison
per entry (sample sort).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regrow.lineage.lookup.grow import Entries

ROOM = 1 << 23
"""entries that are sorted in memory at a time (of 16 bytes; sorting takes as much again twice)"""
_SAMPLES = 4096
"""keys of a run by which pieces are cut"""


def ordered(chunks: Iterable[Entries], folder: Path, room: int = ROOM) -> Iterator[Entries]:
    """The entries in ascending order of key; equal keys in the order in which they came.

    Args:
        chunks: in any order.
        folder: where runs may lie while they are needed (as many bytes as the entries have).
        room: entries in memory at a time.
    """
    runs: list[Path] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".sort.") as place:
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


def _spill(entries: Entries, path: Path) -> Path:
    with path.open("wb") as file:
        for part in entries:
            file.write(np.ascontiguousarray(part, "<u8").data)
    return path


def _merged(paths: list[Path], room: int) -> Iterator[Entries]:
    lengths = [path.stat().st_size // 16 for path in paths]
    # Mapped to search only: what is merged is read, so that it does not stay in memory.
    keys: list[NDArray[np.uint64]] = [
        np.memmap(path, dtype="<u8", mode="r", shape=(n,))
        for path, n in zip(paths, lengths, strict=True)
    ]
    samples = np.sort(np.concatenate([run[:: max(1, len(run) // _SAMPLES)] for run in keys]))
    pieces = -(-2 * sum(lengths) // room)
    cuts = np.unique(samples[np.linspace(0, len(samples) - 1, pieces + 1).astype(int)[1:-1]])
    places = [
        [0, *np.searchsorted(run, cuts).tolist(), n] for run, n in zip(keys, lengths, strict=True)
    ]
    for piece in range(len(cuts) + 1):
        parts = [
            _part(path, n, at[piece], at[piece + 1])
            for path, n, at in zip(paths, lengths, places, strict=True)
        ]
        if any(len(keys) for keys, _ in parts):
            yield _sorted(parts)


def _part(path: Path, length: int, start: int, end: int) -> Entries:
    """Entries start .. end - 1 of a run."""
    keys, values = (
        np.fromfile(path, "<u8", end - start, offset=8 * (row * length + start)) for row in (0, 1)
    )
    return keys, values
