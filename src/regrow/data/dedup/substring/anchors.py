"""Windows by their anchor, so that equal windows come together, a part of the corpus at a time.

The anchor of a window is the smallest number of the short strings in it, as in winnowing (Schleimer, Wilkerson and Aiken,
SIGMOD 2003). It depends on the window's bytes alone: windows with different anchors are different, wherever they are. Some
two hundred windows in a row have one anchor of 437 short strings, and are held as one *run*.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.substring.rolling import Rolling

RUN = np.dtype([("anchor", "<u8"), ("start", "<i8"), ("windows", "<i8"), ("alone", "?")])
"""windows with one anchor, the first of which begins at the byte `start` of the corpus; `alone`: no two can be equal"""
AT_ONCE = 1 << 20
"""windows whose anchors are looked for together, at some 100 bytes of memory for each"""
_SHARE = 8
"""of a window's bytes that a short string has: one in so many"""


class Anchors:
    """Writes the runs of texts to files, by their anchors; close it before reading.

    Args:
        size: bytes of a window.
        folder: where the files go.
        parts: how many there are. What is found later is the same for any number.
    """

    def __init__(self, size: int, folder: Path, parts: int) -> None:
        self._size = size
        short = max(1, size // _SHARE)
        self._short, self._width = Rolling(short), size - short + 1
        folder.mkdir()
        self.files = [folder / f"runs-{part:05d}" for part in range(parts)]
        self._open = [path.open("wb") for path in self.files]

    def add(self, data: NDArray[np.uint8], start: int) -> None:
        """Take a text that begins at the byte `start` of the corpus; texts come in that order."""
        for first in range(0, len(data) - self._size + 1, AT_ONCE):
            self._part(data[first : first + AT_ONCE + self._size - 1], start + first)

    def _part(self, data: NDArray[np.uint8], start: int) -> None:
        """Take some windows. A run that goes on in the next part is two runs with one anchor, so it is compared."""
        short = self._short.of(data)
        anchors = smallest(short, self._width)
        edges = np.flatnonzero(np.concatenate([[True], anchors[1:] != anchors[:-1]]))
        runs = np.empty(len(edges), RUN)
        runs["anchor"], runs["start"] = anchors[edges], edges + start
        runs["windows"] = np.diff(edges, append=len(anchors))
        runs["alone"] = ~np.isin(runs["anchor"], _twice(short, anchors, self._width))
        parts = runs["anchor"] % np.uint64(
            len(self._open)
        )  # small numbers, but even in their last bits
        for part, file in enumerate(self._open):
            file.write(runs[parts == part].tobytes())

    def __enter__(self) -> Anchors:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open:
            file.close()


def smallest(values: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """The smallest of each `width` values in a row (van Herk, Pattern Recognition Letters 1992)."""
    count = len(values) - width + 1
    padded = np.full(-(-len(values) // width) * width, ~np.uint64(0))
    padded[: len(values)] = values
    rows = padded.reshape(-1, width)
    before = np.minimum.accumulate(rows, axis=1).ravel()
    after = np.minimum.accumulate(rows[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.minimum(after[:count], before[width - 1 : width - 1 + count])


def _twice(
    short: NDArray[np.uint64], anchors: NDArray[np.uint64], width: int
) -> NDArray[np.uint64]:
    """Anchors that come again before the windows with the first one end. Equal windows of one run have such an anchor."""
    nothing = np.zeros(width - 1, np.uint64)
    # A short string is an anchor if it is the greatest among the anchors of the windows that hold it.
    greatest = ~smallest(~np.concatenate([nothing, anchors, nothing]), width)
    places = np.flatnonzero(short == greatest)
    near = (np.diff(places) <= width) & (short[places[1:]] == short[places[:-1]])
    return np.unique(short[places[1:][near]])
