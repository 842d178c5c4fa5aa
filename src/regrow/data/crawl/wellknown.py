"""What a crawler reads of a host before its pages: robots.txt, and the sitemaps that it names."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from regrow.data.crawl.fetch import Answer, Fetcher
from regrow.data.crawl.redirects import location
from regrow.data.crawl.robots import Rules, rules
from regrow.data.crawl.rows import Fetch, failed, row
from regrow.data.crawl.sitemap import MAX_BYTES, read_sitemap
from regrow.data.crawl.urls import MAX_LENGTH, canonical, host_of
from regrow.data.crawl.warc import Archive
from regrow.data.web.coding import CodingError, TooLargeError

MAX_SITEMAPS = 1_000
"""sitemaps of a host that are fetched"""
MAX_NAMED = 100_000
"""sitemaps of a host that have a row; more are counted"""
Role = Literal["robots", "sitemap"]


@dataclass(frozen=True)
class Reach:
    """How far a crawl goes."""

    hosts: frozenset[str]
    """hosts that belong to the crawl"""
    obey_robots: bool
    max_pages: int
    """page addresses of a host that are asked for, whatever comes of them"""
    max_depth: int
    max_redirects: int
    max_delay_seconds: float = 30.0
    """a host that asks for a longer Crawl-delay is left alone"""
    patience: int = 25
    """pages, or sitemaps, in a row that fail (see `failing`), after which no more are asked for"""


def failing(answer: Answer) -> bool:
    """Did it time out or break off, or was it refused with 429 or 5xx?"""
    return (
        answer.failure in ("connection", "timeout") or answer.status == 429 or answer.status >= 500
    )


class WellKnown:
    """robots.txt and sitemaps of one host; rows go into `rows`, pages to `follow`."""

    def __init__(
        self,
        host: str,
        user_agent: str,
        fetcher: Fetcher,
        archive: Archive,
        reach: Reach,
        date: Callable[[], str],
        rows: list[Fetch],
        follow: Callable[[str], None],
    ) -> None:
        self._host = host
        self._agent = user_agent
        self._fetcher = fetcher
        self._archive = archive
        self._reach = reach
        self._date = date
        self._rows = rows
        self._follow = follow
        self._rules: dict[str, Rules] = {}
        self._failures = 0
        self.delay = 0.0
        """seconds between requests that the host asks for"""

    def rules(self, url: str) -> Rules:
        """The rules for a page of the host; robots.txt is fetched once per scheme."""
        scheme = url.partition(":")[0]
        if scheme not in self._rules:
            root = f"{scheme}://{self._host}/robots.txt"
            try:
                found = self._robots(root)
            except (OSError, MemoryError):
                raise  # of this machine: no host is to blame
            except Exception as error:
                self._rows.append(failed(root, self._host, error))
                found = rules("unreachable", b"", self._agent)
            self._rules[scheme] = found
            self._sitemaps(found, root)
        return self._rules[scheme]

    def _robots(self, root: str) -> Rules:
        answer, url = self._through(root, "robots", {})
        found = self._parsed(answer)
        asked = found.delay()
        detail = "everything closed" if found.closed else ""
        if self._reach.obey_robots and asked > self._reach.max_delay_seconds:
            detail = (
                f"asks for {asked:g} s between requests, "
                f"above crawl.max_delay_seconds ({self._reach.max_delay_seconds:g})"
            )
            found = dataclasses.replace(found, closed=True, why=f"robots.txt {detail}")
        elif self._reach.obey_robots:
            self.delay = max(self.delay, asked)
        self._rows.append(row(url, self._host, answer, "robots_txt", detail))
        return found

    def _parsed(self, answer: Answer) -> Rules:
        """RFC 9309 section 2.3.1: 4xx opens the host; no answer, 5xx or 429 closes it."""
        if answer.failure is not None or answer.status >= 500 or answer.status == 429:
            return rules("unreachable", b"", self._agent)
        if answer.status != 200:
            return rules("absent", b"", self._agent)
        try:
            body = answer.plain(self._fetcher.limits.max_bytes)
        except (CodingError, TooLargeError):
            return rules("unreachable", b"", self._agent)
        return rules("ok", body, self._agent)

    def _sitemaps(self, found: Rules, base: str) -> None:
        """Fetch the sitemaps and those that they name; every one of them is a row."""
        waiting: deque[str] = deque()
        for text in found.sitemaps():
            url = canonical(text, base)
            if url is None:
                self._skipped(text[:MAX_LENGTH], "no address of the web")
            else:
                waiting.append(url)
        known = dict.fromkeys(waiting, True)
        fetched = beyond = 0
        waiting = deque(known)
        while waiting:
            url = waiting.popleft()
            if host_of(url) != self._host:
                self._skipped(url, "on another host")
            elif self._reach.obey_robots and not found.allows(url):
                self._skipped(url, found.why)
            elif fetched >= MAX_SITEMAPS:
                self._skipped(url, f"more than {MAX_SITEMAPS} sitemaps")
            elif self._failures >= self._reach.patience:
                self._skipped(url, f"{self._reach.patience} failures in a row before it")
            else:
                fetched += 1
                for further in self._guarded(url, known):
                    if len(known) >= MAX_NAMED:
                        beyond += further not in known
                    elif further not in known:
                        known[further] = True
                        waiting.append(further)
        if beyond:
            self._skipped(base, f"{beyond} sitemaps beyond {MAX_NAMED} have no row")

    def _guarded(self, url: str, known: dict[str, bool]) -> tuple[str, ...]:
        try:
            return self._sitemap(url, known)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            self._rows.append(failed(url, self._host, error))
            return ()

    def _sitemap(self, first: str, known: dict[str, bool]) -> tuple[str, ...]:
        """Fetch one; its pages are followed; returns the further sitemaps that it names."""
        answer, url = self._through(first, "sitemap", known)
        if host_of(url) != self._host:
            self._skipped(url, "on another host")
            return ()
        if answer.failure is not None or answer.status != 200:
            detail = f"no sitemap: {answer.detail or answer.reason or answer.status}"
            self._rows.append(row(url, self._host, answer, "sitemap", detail))
            return ()
        try:
            body = answer.plain(MAX_BYTES)
        except (CodingError, TooLargeError) as error:
            detail = f"no sitemap: {str(error) or 'too large'}"
            self._rows.append(row(url, self._host, answer, "sitemap", detail))
            return ()
        found = read_sitemap(body, url, ", ".join(answer.all("Content-Type")))
        named = [f"{len(found.pages)} pages"] if found.pages or not found.trouble else []
        named += [f"{len(found.further)} sitemaps"] if found.further else []
        detail = ", ".join([*named, found.trouble] if found.trouble else named)
        self._rows.append(row(url, self._host, answer, "sitemap", detail))
        for page in found.pages:
            self._follow(page)
        return found.further

    def _through(self, url: str, role: Role, known: dict[str, bool]) -> tuple[Answer, str]:
        """GET with redirects followed (RFC 9309 section 2.3.1.2); every answer is recorded.

        Returns the last answer and its address. A sitemap's redirect to another host is not
        followed: the address returned is then that one.
        """
        trail = {url}
        for left in range(self._reach.max_redirects, -1, -1):
            answer = self._fetcher.get(url, any_type=True)
            if role == "sitemap":
                self._failures = self._failures + 1 if failing(answer) else 0
            if answer.status:
                self._archive.add(url, answer, self._date(), role)
            to = location(answer, url)
            if to is None or to in trail or not left:
                break
            trail.add(to)
            self._rows.append(row(url, self._host, answer, "redirect", to))
            url = to
            if role == "sitemap":
                known[to] = True
                if host_of(to) != self._host:
                    break
        return answer, url

    def _skipped(self, url: str, why: str) -> None:
        self._rows.append(row(url, self._host, None, "sitemap_skipped", why))
