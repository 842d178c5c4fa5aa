"""Live progress of sampling on standard error. Rates are printed, never stored."""

from __future__ import annotations

import sys
import time

EVERY_SECONDS = 5.0


class Progress:
    """Prints a line about every five seconds: answers done, tokens per second."""

    def __init__(self, label: str | None, total: int) -> None:
        """No `label`: silent."""
        self._label = label
        self._total = total
        self._began = self._printed = time.monotonic()

    def say(self, done: int, tokens: int) -> None:
        """Count, and print if it is time."""
        if self._label is None:
            return
        now = time.monotonic()
        if now - self._printed < EVERY_SECONDS and done < self._total:
            return
        self._printed = now
        speed = tokens / max(now - self._began, 1e-9)
        print(
            f"{self._label}: {done}/{self._total} answers  {speed:,.0f} tokens/s",
            file=sys.stderr,
            flush=True,
        )
