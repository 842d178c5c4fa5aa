"""robots.txt by RFC 9309: what may be fetched, how fast, and where the sitemaps are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protego import Protego

MAX_BYTES = 500 * 1024  # RFC 9309 section 2.5: parse at least 500 KiB


@dataclass(frozen=True)
class Rules:
    """The rules of one host for one user agent."""

    parsed: Protego | None
    """None: everything is allowed, or everything is closed"""
    closed: bool
    """the file could not be reached: complete disallow (section 2.3.1.4)"""
    agent: str

    def allows(self, url: str) -> bool:
        """May this URL be fetched?"""
        if self.closed:
            return False
        return self.parsed is None or bool(self.parsed.can_fetch(url, self.agent))

    def delay(self) -> float:
        """Seconds between requests that the host asks for (Crawl-delay, Request-rate); 0 if none."""
        if self.parsed is None:
            return 0.0
        delay = self.parsed.crawl_delay(self.agent)
        rate = self.parsed.request_rate(self.agent)
        asked = [float(delay)] if delay is not None else []
        if rate is not None and rate.requests:
            asked.append(rate.seconds / rate.requests)
        return max(asked, default=0.0)

    def sitemaps(self) -> list[str]:
        """Sitemaps that the file names."""
        return [] if self.parsed is None else list(self.parsed.sitemaps)


def rules(outcome: Literal["ok", "absent", "unreachable"], body: bytes, agent: str) -> Rules:
    """Rules from a fetched robots.txt.

    `absent` is a 4xx answer (all is allowed, section 2.3.1.3); `unreachable` a 5xx answer or no
    answer at all (nothing is allowed).
    """
    token = agent.split("/", 1)[0]
    if outcome == "absent":
        return Rules(None, False, token)
    if outcome == "unreachable":
        return Rules(None, True, token)
    text = body[:MAX_BYTES].decode("utf-8-sig", "replace")
    return Rules(Protego.parse(text), False, token)
