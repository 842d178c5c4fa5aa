"""The queue of one host: breadth first, every URL once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """A URL to visit."""

    url: str
    """canonical"""
    depth: int
    """links from a start page"""
    trail: tuple[str, ...] = ()
    """URLs that redirected here, first one first"""


class Frontier:
    """URLs in the order in which they were found; that order depends on the pages alone."""

    def __init__(self, ceiling: int = 1_000_000) -> None:
        self._queue: deque[Visit] = deque()
        self._seen: set[str] = set()
        self.ceiling = ceiling
        """URLs that are remembered; memory must not grow with what a host invents"""
        self.beyond = 0
        """how often a URL was not queued because of it"""

    def add(self, visit: Visit, first: bool = False) -> bool:
        """Queue a URL that was never seen (`first`: before all others). False if it was not queued."""
        if visit.url in self._seen:
            return False
        if len(self._seen) >= self.ceiling:
            self.beyond += 1
            return False
        self._seen.add(visit.url)
        if first:
            self._queue.appendleft(visit)
        else:
            self._queue.append(visit)
        return True

    def pop(self) -> Visit | None:
        """The next URL; None when there is none left."""
        return self._queue.popleft() if self._queue else None

    def __contains__(self, url: str) -> bool:
        """Was this URL ever queued?"""
        return url in self._seen

    @property
    def seen(self) -> int:
        """How many URLs were ever queued."""
        return len(self._seen)

    def __len__(self) -> int:
        return len(self._queue)
