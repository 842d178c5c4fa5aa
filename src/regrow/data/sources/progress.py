"""What a long download says while it works: files, bytes, rate."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Said = Callable[[str], None]


def to_stderr(sentence: str) -> None:
    """Print a sentence at once."""
    print(sentence, file=sys.stderr, flush=True)


class Progress:
    """Counts files and bytes of a source; says so at most every two seconds, and at the end.

    `most`: bytes that are fetched at most, 0 where they are not known before.
    """

    def __init__(self, name: str, files: int, said: Said = to_stderr, most: int = 0) -> None:
        self._name, self._all, self._said, self._most = name, files, said, most
        self.files = self.bytes = 0
        self._begun = self._shown = time.monotonic()

    def add(self, count: int) -> None:
        """Bytes came."""
        self.bytes += count
        now = time.monotonic()
        if now - self._shown > 2:
            self._shown = now
            self._said(self._line(now))

    def done(self) -> None:
        """A file is complete."""
        self.files += 1

    def end(self) -> None:
        """Say how it went, if anything was fetched."""
        if self.bytes:
            self._said(self._line(time.monotonic()))

    def _line(self, now: float) -> str:
        rate = self.bytes / 1e6 / max(0.001, now - self._begun)
        most = f" of at most {self._most / 1e6:,.1f} MB fetched" if self._most else ""
        return f"{self._name}: {self.files:,} of {self._all:,} files, {self.bytes / 1e6:,.1f} MB{most}, {rate:.1f} MB/s"  # fmt: skip
