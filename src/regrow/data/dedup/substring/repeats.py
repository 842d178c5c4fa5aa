"""Which windows of a corpus come again: marks at the bytes where a copy begins, and where the first of several does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.substring.anchors import RUN
from regrow.data.dedup.substring.places import Places
from regrow.data.dedup.substring.rolling import Rolling

AGAIN, FIRST = 1, 2
"""marks: a window that comes again begins here; the first of its kind does"""
MOST = 1 << 20
"""windows that are compared together: some 100 bytes of memory for each"""


class Repeats:
    """Compares windows and marks them.

    Args:
        corpus: all texts, one after the other.
        marks: a byte for each of the corpus, to be marked.
        size: bytes of a window.
        times: occurrences from which on it counts as repeated.
    """

    def __init__(self, corpus: Places, marks: Places, size: int, times: int) -> None:
        self._corpus, self._marks = corpus, marks
        self._size, self._times = size, times
        self._rolling = Rolling(size)

    def mark(self, path: Path) -> None:
        """Mark the windows of a file of runs (`regrow.data.dedup.substring.anchors`)."""
        runs = np.fromfile(path, RUN)
        runs = runs[np.argsort(runs["anchor"], kind="stable")]
        edges = np.flatnonzero(np.diff(runs["anchor"], prepend=~runs["anchor"][:1]))
        if not len(edges):
            return
        windows = np.add.reduceat(runs["windows"], edges)
        alone = (np.diff(edges, append=len(runs)) == 1) & runs["alone"][edges]
        held: list[NDArray[np.void]] = []
        total = 0
        for first, last, count in zip(
            edges[~alone], np.append(edges[1:], len(runs))[~alone], windows[~alone], strict=True
        ):
            if held and total + count > MOST:
                self._compare(held)
                held, total = [], 0
            held.append(runs[first:last])
            total += int(count)
        if held:
            self._compare(held)

    def _compare(self, groups: list[NDArray[np.void]]) -> None:
        """Compare the windows of whole anchors: in one go, or, of one anchor of very many, a part of them at a time."""
        runs = np.concatenate(groups)
        parts = -(-int(runs["windows"].sum()) // MOST)
        for part in range(parts):
            starts, numbers = [], []
            for some in _pieces(runs):
                at, found = self._numbers(some)
                mine = found % np.uint64(parts) == part if parts > 1 else slice(None)
                starts.append(at[mine])
                numbers.append(found[mine])
            self._equal(np.concatenate(starts), np.concatenate(numbers))

    def _numbers(self, runs: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Where the windows of runs begin, and their numbers."""
        sizes = runs["windows"] + self._size - 1
        begins = np.cumsum(sizes) - sizes
        place = np.arange(int(sizes.sum())) + np.repeat(runs["start"] - begins, sizes)
        numbers = self._rolling.of(self._corpus.joined(runs["start"], sizes))
        within = np.arange(int(runs["windows"].sum()))
        windows = np.cumsum(runs["windows"]) - runs["windows"]
        within += np.repeat(begins - windows, runs["windows"])
        return place[within], numbers[within]

    def _equal(self, starts: NDArray[np.int64], numbers: NDArray[np.uint64]) -> None:
        """Mark those of these windows that are equal to others of them."""
        order = np.lexsort((starts, numbers))
        starts, numbers = starts[order], numbers[order]
        edges = np.flatnonzero(np.diff(numbers, prepend=~numbers[:1]))
        counts = np.diff(edges, append=len(numbers))
        edges, counts = edges[counts >= self._times], counts[counts >= self._times]
        if not len(edges):
            return
        first = np.repeat(edges, counts)
        place = np.arange(len(first)) + np.repeat(edges - (np.cumsum(counts) - counts), counts)
        other = place != first
        wrong = self._unequal(starts[place[other]], starts[first[other]])
        wrong_edges = np.unique(first[other][wrong])
        sure = ~np.isin(first, wrong_edges)
        self._put(starts[first[sure]], starts[place[sure & other]])
        for edge in wrong_edges.tolist():  # one number of different windows
            self._exactly(starts[edge : edge + int(counts[edges == edge][0])])

    def _unequal(self, here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of these pairs of windows differ. Pairs that move on together are compared as one string."""
        order = np.argsort(here, kind="stable")
        a, b = here[order], there[order]
        cuts = np.flatnonzero((np.diff(a) != 1) | (np.diff(b) != 1)) + 1
        found = []
        for first, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(a)], strict=True):
            more = end - first - 1 + self._size
            one, other = (self._corpus.read(at, more) for at in (int(a[first]), int(b[first])))
            if one != other:
                found.append(order[first:end])
        return np.concatenate([np.zeros(0, np.int64), *found])

    def _exactly(self, starts: NDArray[np.int64]) -> None:
        kinds: dict[bytes, list[int]] = {}
        for start in starts.tolist():
            kinds.setdefault(self._corpus.read(start, self._size), []).append(start)
        for members in kinds.values():
            if len(members) >= self._times:
                self._put(np.array(members[:1]), np.array(members[1:]))

    def _put(self, first: NDArray[np.int64], again: NDArray[np.int64]) -> None:
        self._marks.put(first, FIRST)
        self._marks.put(again, AGAIN)


def _pieces(runs: NDArray[np.void]) -> Iterator[NDArray[np.void]]:
    """The same windows in pieces of at most `MOST` windows (and some more: a run's)."""
    held: list[tuple[int, int, int, bool]] = []
    total = 0
    for run in _short(runs):
        if held and total + run[2] > MOST:
            yield np.array(held, RUN)
            held, total = [], 0
        held.append(run)
        total += run[2]
    yield np.array(held, RUN)


def _short(runs: Iterable[np.void]) -> Iterator[tuple[int, int, int, bool]]:
    """Runs, long ones in several."""
    for run in runs:
        anchor, start, windows, alone = run.item()
        for first in range(0, windows, MOST):
            yield anchor, start + first, min(MOST, windows - first), bool(alone)
