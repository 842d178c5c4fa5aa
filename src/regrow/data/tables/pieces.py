"""Pieces of a file by their place. Not a memory map: its pages would count as the step's memory."""

from __future__ import annotations

import os


def read(file: int, start: int, size: int) -> bytes:
    """Some bytes of an open file (its descriptor) from the byte `start` on, fewer where it ends."""
    parts = []
    while size and (part := os.pread(file, size, start)):
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)
