"""Telling the system what is read next, so that a disk fetches many blocks at once, not one after the other."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable


def announce(file: int, parts: Iterable[tuple[int, int]]) -> None:
    """Say that these parts (first byte, byte after the last; ascending) of an open file are read soon.

    Parts that touch are said as one. It changes no answer: the system may ignore it, and macOS has no such call.
    """
    advise = getattr(os, "posix_fadvise", None)
    whole: list[tuple[int, int]] = []
    count = 0
    for start, end in parts:
        count += 1
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    if advise is None or count < 2:  # a single part is read at once anyway
        return
    with contextlib.suppress(OSError):
        for start, end in whole:
            advise(file, start, end - start, os.POSIX_FADV_WILLNEED)
