"""All hosts side by side, in rounds.

A link to another host of the crawl waits for the next round: so the order within a host depends on
the pages alone, not on which thread was faster.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from regrow.data.crawl.frontier import Visit
from regrow.data.crawl.host import HostCrawl
from regrow.data.crawl.urls import host_of

_PARALLEL_HOSTS = 8
_SHOWN_EVERY = 2.0


def visit_all(crawls: dict[str, HostCrawl], seeds: dict[str, list[Visit]]) -> None:
    """Crawl from `seeds` until no host has a new address, then close every crawl.

    Raises:
        OSError: an archive cannot be written.
        RuntimeError: an address was queued and has no row.
    """
    waiting = dict(seeds)
    shown = time.monotonic()
    with ThreadPoolExecutor(_PARALLEL_HOSTS) as pool:
        while waiting:
            jobs = [
                pool.submit(crawls[host].run, visits) for host, visits in sorted(waiting.items())
            ]
            for job in jobs:
                while not job.done():
                    time.sleep(0.02)
                    if time.monotonic() - shown > _SHOWN_EVERY:
                        shown = time.monotonic()
                        _say(crawls)
                job.result()
            waiting = _next_round(crawls)
    for one in crawls.values():
        one.close()
    _say(crawls)


def _next_round(crawls: dict[str, HostCrawl]) -> dict[str, list[Visit]]:
    """New addresses by host, in the order of the hosts that met them."""
    found = [v for _, c in sorted(crawls.items()) for _, v in sorted(c.outbound.items())]
    for one in crawls.values():
        one.outbound = {}
    waiting: dict[str, list[Visit]] = {}
    for visit in found:
        host = host_of(visit.url)
        if crawls[host].is_new(visit):
            waiting.setdefault(host, []).append(visit)
    return waiting


def _say(crawls: dict[str, HostCrawl]) -> None:
    kept = sum(row.outcome == "fetched" for one in crawls.values() for row in list(one.rows))
    seen = sum(len(one.rows) for one in crawls.values())
    print(
        f"crawl: {len(crawls)} hosts, {seen} addresses, {kept} pages", file=sys.stderr, flush=True
    )
