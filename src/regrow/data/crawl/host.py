"""The crawl of one host: robots.txt, sitemaps, then page after page in breadth-first order."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable

from regrow.data.crawl.directives import directives
from regrow.data.crawl.fetch import Answer, Fetcher
from regrow.data.crawl.frontier import Frontier, Visit
from regrow.data.crawl.links import Page, read_page
from regrow.data.crawl.rate import Rate
from regrow.data.crawl.redirects import STATUSES, location, refreshed
from regrow.data.crawl.robots import Rules, own_token
from regrow.data.crawl.rows import Fetch, failed, row
from regrow.data.crawl.urls import host_of
from regrow.data.crawl.warc import Archive
from regrow.data.crawl.wellknown import Reach, WellKnown, failing
from regrow.data.web.coding import CodingError, TooLargeError

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_MAX_OUTSIDE = 1_000_000


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
        self.outside: set[str] = set()
        """URLs on hosts that do not belong to the crawl; these have no row"""
        self._token = own_token(user_agent)
        self._fetcher = fetcher
        self._rate = rate
        self._archive = archive
        self._reach = reach
        self._date = date
        self._frontier = Frontier()
        self._known = WellKnown(
            host, user_agent, fetcher, archive, reach, date, self.rows,
            lambda url: self._follow(Visit(url, 1)),
        )  # fmt: skip
        self._visits = 0
        self._settled = 0
        self._failures = 0

    def run(self, visits: Iterable[Visit]) -> None:
        """Visit these URLs and what can be reached from them on this host.

        Raises:
            OSError: the archive cannot be written. Nothing that a host sends raises.
        """
        for visit in visits:
            self._frontier.add(visit)
            self._rules(visit.url)
        while (next_visit := self._frontier.pop()) is not None:
            try:
                self._visit(next_visit)
            except (OSError, MemoryError):
                raise  # of this machine: no host is to blame
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                self.rows.append(failed(next_visit.url, self.host, error, next_visit.depth))
            self._settled += 1

    def is_new(self, visit: Visit) -> bool:
        """Was this URL never seen on this host?"""
        return visit.url not in self._frontier

    def close(self) -> None:
        """Close connection and archive; name what was too much to queue.

        Raises:
            RuntimeError: an address was queued and has no row.
        """
        self._fetcher.close()
        self._archive.close()
        if self._frontier.beyond:
            detail = (
                f"{self._frontier.beyond} addresses beyond {self._frontier.ceiling} have no row"
            )
            self.rows.append(row(f"http://{self.host}/", self.host, None, "queue_limit", detail))
        if self._settled != self._frontier.seen:
            raise RuntimeError(
                f"{self.host}: {self._frontier.seen} addresses were queued, {self._settled} have a row"
            )

    def _rules(self, url: str) -> Rules:
        found = self._known.rules(url)
        self._rate.interval = max(self._rate.interval, self._known.delay)
        return found

    def _visit(self, visit: Visit) -> None:
        if visit.depth > self._reach.max_depth:
            return self._row(visit, None, "max_depth", f"deeper than {self._reach.max_depth}")
        if self._visits >= self._reach.max_pages:
            return self._row(visit, None, "page_limit", f"{self._reach.max_pages} pages visited")
        if self._reach.obey_robots and not (rules := self._rules(visit.url)).allows(visit.url):
            return self._row(visit, None, "robots", rules.why)
        if self._failures >= self._reach.patience:
            detail = f"{self._reach.patience} failures in a row before it"
            return self._row(visit, None, "given_up", detail)
        self._visits += 1
        answer = self._fetcher.get(visit.url)
        self._failures = self._failures + 1 if failing(answer) else 0
        if answer.failure is not None:
            return self._row(visit, answer, answer.failure, answer.detail)
        if answer.status in STATUSES:
            self._archive.add(visit.url, answer, self._date())
            return self._redirect(visit, answer)
        if answer.status != 200:
            self._archive.add(visit.url, answer, self._date())
            return self._row(visit, answer, "http_error", answer.reason)
        self._page(visit, answer)

    def _page(self, visit: Visit, answer: Answer) -> None:
        """A page that came: follow its links, keep it unless it asks not to be kept."""
        limit = self._fetcher.limits.max_bytes
        try:
            body = answer.plain(limit)
        except TooLargeError:
            return self._row(visit, answer, "too_large", f"longer than {limit} bytes when unpacked")
        except CodingError as error:
            # Whether it asks not to be kept stays unknown, and the text step could not read it.
            return self._row(visit, answer, "bad_coding", str(error))
        page = self._read(answer, body, visit.url)
        noindex, nofollow = directives(answer.all("X-Robots-Tag"), self._token)
        if not (nofollow or page.nofollow):
            further = refreshed(answer, visit.url)
            for link in (*page.links, *([further] if further else [])):
                self._follow(Visit(link, visit.depth + 1))
        if (noindex or page.noindex) and self._reach.obey_robots:
            return self._row(visit, answer, "noindex", "the page asks not to be kept")
        self._archive.add(visit.url, answer, self._date())
        tries = f"attempt {answer.attempts}" if answer.attempts > 1 else ""
        self._row(visit, answer, "fetched", tries)

    def _read(self, answer: Answer, body: bytes, url: str) -> Page:
        """Links and directives; a body of no known type is looked at as browsers do."""
        if answer.mime in _HTML or (not answer.mime and not body.startswith(b"%PDF-")):
            return read_page(body, url, ", ".join(answer.all("Content-Type")), self._token)
        return Page((), False, False)

    def _redirect(self, visit: Visit, answer: Answer) -> None:
        to = location(answer, visit.url)
        if to is None:
            return self._row(visit, answer, "http_error", "redirect without a usable Location")
        trail = (*visit.trail, visit.url)
        if to in trail:
            return self._row(visit, answer, "redirect_loop", to)
        if len(trail) > self._reach.max_redirects:
            return self._row(visit, answer, "redirect_limit", to)
        self._row(visit, answer, "redirect", to)
        self._follow(Visit(to, visit.depth, trail), first=True)

    def _follow(self, visit: Visit, first: bool = False) -> None:
        host = host_of(visit.url)
        if host == self.host:
            self._frontier.add(visit, first)
        elif host in self._reach.hosts:
            self.outbound.setdefault(visit.url, visit)
        elif len(self.outside) < _MAX_OUTSIDE:
            self.outside.add(visit.url)

    def _row(self, visit: Visit, answer: Answer | None, outcome: str, detail: str) -> None:
        self.rows.append(row(visit.url, self.host, answer, outcome, detail, visit.depth))
