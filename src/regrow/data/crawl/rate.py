"""The politeness of one host: requests are at least so many seconds apart."""

from __future__ import annotations

import time


class Rate:
    """Called before every request; sleeps until the host may be asked again."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        """seconds"""
        self._next = 0.0

    def __call__(self) -> None:
        """Wait."""
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
            now = time.monotonic()
        self._next = now + self.interval
