"""The crawl of one host: robots.txt, sitemaps, then page after page in breadth-first order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from regrow.crawl.fetch import Answer, Fetcher
from regrow.crawl.frontier import Frontier, Visit
from regrow.crawl.links import read_page, read_sitemap, robots_directives
from regrow.crawl.rate import Rate
from regrow.crawl.robots import Rules, rules
from regrow.crawl.urls import canonical, host_of
from regrow.crawl.warc import Archive

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_MAX_SITEMAPS = 50


@dataclass(frozen=True)
class Fetch:
    """What became of a URL: a row of fetches.parquet."""

    url: str
    host: str
    status: int
    mime: str
    bytes: int
    depth: int
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Reach:
    """How far a crawl goes."""

    hosts: frozenset[str]
    """hosts that belong to the crawl"""
    obey_robots: bool
    max_pages: int
    max_depth: int
    max_redirects: int


class HostCrawl:
    """One host. Not thread-safe; several hosts may run side by side, as they share nothing."""

    def __init__(
        self,
        host: str,
        user_agent: str,
        fetcher: Fetcher,
        rate: Rate,
        archive: Archive,
        reach: Reach,
        date: Callable[[], str],
    ) -> None:
        self.host = host
        self.rows: list[Fetch] = []
        self.outbound: dict[str, Visit] = {}
        """URLs on other hosts of the crawl, found since the last `run`"""
        self._agent = user_agent
        self._fetcher = fetcher
        self._rate = rate
        self._archive = archive
        self._reach = reach
        self._date = date
        self._frontier = Frontier()
        self._rules: dict[str, Rules] = {}
        self._pages = 0

    def run(self, visits: Iterable[Visit]) -> None:
        """Visit these URLs and what can be reached from them on this host."""
        for visit in visits:
            self._frontier.add(visit)
            self._robots(visit.url)
        while (next_visit := self._frontier.pop()) is not None:
            self._visit(next_visit)

    def is_new(self, visit: Visit) -> bool:
        """Was this URL never seen on this host?"""
        return visit.url not in self._frontier

    def close(self) -> None:
        """Close connection and archive."""
        self._fetcher.close()
        self._archive.close()

    def _visit(self, visit: Visit) -> None:
        if visit.depth > self._reach.max_depth:
            return self._row(visit, None, "max_depth", f"deeper than {self._reach.max_depth}")
        if self._pages >= self._reach.max_pages:
            return self._row(visit, None, "page_limit", f"{self._reach.max_pages} pages kept")
        if self._reach.obey_robots and not self._robots(visit.url).allows(visit.url):
            return self._row(visit, None, "robots", "disallowed by robots.txt")
        answer = self._fetcher.get(visit.url)
        if answer.failure is not None:
            return self._row(visit, answer, answer.failure, answer.detail)
        if answer.status in _REDIRECTS:
            self._archive.add(visit.url, answer, self._date())
            return self._redirect(visit, answer)
        if answer.status != 200:
            self._archive.add(visit.url, answer, self._date())
            return self._row(visit, answer, "http_error", answer.reason)
        noindex, nofollow = robots_directives(answer.header("X-Robots-Tag"))
        if answer.mime in _HTML or (not answer.mime and b"<html" in answer.body[:1024].lower()):
            page = read_page(answer.body, visit.url)
            noindex, nofollow = noindex or page.noindex, nofollow or page.nofollow
            if not nofollow:
                for link in page.links:
                    self._follow(Visit(link, visit.depth + 1))
        if noindex and self._reach.obey_robots:
            return self._row(visit, answer, "noindex", "the page asks not to be kept")
        self._pages += 1
        self._archive.add(visit.url, answer, self._date())
        tries = f"attempt {answer.attempts}" if answer.attempts > 1 else ""
        self._row(visit, answer, "fetched", tries)

    def _redirect(self, visit: Visit, answer: Answer) -> None:
        sent = answer.header("Location")
        location = canonical(sent, visit.url) if sent else None
        if location is None:
            return self._row(visit, answer, "http_error", "redirect without a usable Location")
        trail = (*visit.trail, visit.url)
        if location in trail:
            return self._row(visit, answer, "redirect_loop", location)
        if len(trail) > self._reach.max_redirects:
            return self._row(visit, answer, "redirect_limit", location)
        self._row(visit, answer, "redirect", location)
        self._follow(Visit(location, visit.depth, trail), first=True)

    def _follow(self, visit: Visit, first: bool = False) -> None:
        host = host_of(visit.url)
        if host == self.host:
            self._frontier.add(visit, first)
        elif host in self._reach.hosts:
            self.outbound.setdefault(visit.url, visit)

    def _robots(self, url: str) -> Rules:
        """Rules of the host, fetched once per scheme; queues the sitemaps' pages."""
        scheme = url.partition(":")[0]
        if scheme in self._rules:
            return self._rules[scheme]
        root = f"{scheme}://{self.host}/robots.txt"
        answer = self._fetch_through(root)
        if answer.failure is not None or answer.status >= 500 or answer.status == 429:
            found = rules("unreachable", b"", self._agent)
        elif answer.status == 200:
            found = rules("ok", answer.body, self._agent)
        else:
            found = rules("absent", b"", self._agent)
        self._rules[scheme] = found
        self._row(Visit(root, 0), answer, "robots_txt", "everything closed" if found.closed else "")
        if answer.status:
            self._archive.add(root, answer, self._date())
        if self._reach.obey_robots:
            self._rate.interval = max(self._rate.interval, found.delay())
        self._sitemaps(found)
        return found

    def _sitemaps(self, found: Rules) -> None:
        waiting = [link for text in found.sitemaps() if (link := canonical(text))]
        done: set[str] = set()
        while waiting and len(done) < _MAX_SITEMAPS:
            url = waiting.pop(0)
            if url in done or host_of(url) != self.host or not found.allows(url):
                continue
            done.add(url)
            answer = self._fetch_through(url)
            pages, further = read_sitemap(answer.body, url) if answer.status == 200 else ([], [])
            self._row(Visit(url, 0), answer, "sitemap", f"{len(pages)} pages")
            if answer.status:
                self._archive.add(url, answer, self._date())
            waiting += further
            for page in pages:
                self._follow(Visit(page, 1))

    def _fetch_through(self, url: str) -> Answer:
        """GET with redirects followed, for robots.txt and sitemaps (RFC 9309 section 2.3.1.2)."""
        answer = self._fetcher.get(url, any_type=True)
        for _ in range(self._reach.max_redirects):
            location = (
                canonical(answer.header("Location"), url) if answer.header("Location") else None
            )
            if answer.status not in _REDIRECTS or location is None:
                break
            url = location
            answer = self._fetcher.get(url, any_type=True)
        return answer

    def _row(self, visit: Visit, answer: Answer | None, outcome: str, detail: str) -> None:
        status, mime, size = (
            (0, "", 0) if answer is None else (answer.status, answer.mime, len(answer.body))
        )
        self.rows.append(
            Fetch(visit.url, self.host, status, mime, size, visit.depth, outcome, detail)
        )
