"""The crawl step: visit every host of the sources manifest, leave WARC files and a table.

A frozen crawl (the default) starts a loopback server with the archives of the manifest; hosts are
virtual, times are fixed, so that its output is a function of its inputs. A live crawl visits real
hosts with the same code; its WARC files carry the time of each request and are themselves the
frozen source from which everything after begins (docs/sources.md).
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from regrow.crawl import manifest as manifests
from regrow.crawl.fetch import Fetcher, Limits, Resolver
from regrow.crawl.frontier import Visit
from regrow.crawl.host import HostCrawl, Reach
from regrow.crawl.manifest import Manifest
from regrow.crawl.rate import Rate
from regrow.crawl.server import Server, open_sites
from regrow.crawl.urls import canonical, host_of
from regrow.crawl.warc import Archive
from regrow.params.sources import Crawl
from regrow.tables import parquet

_PARALLEL_HOSTS = 8
_SCHEMA = {
    "url": pl.String, "host": pl.String, "status": pl.Int64, "mime": pl.String, "bytes": pl.Int64,
    "depth": pl.Int64, "outcome": pl.String, "detail": pl.String,
}  # fmt: skip


def crawl(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with `<host>.warc.gz`, `foreign-<name>.warc.gz` and `fetches.parquet`.

    `inputs["sources"]` is the folder with manifest.yaml; `params.crawl` says how to behave.

    Raises:
        regrow.crawl.manifest.ManifestError: the manifest cannot be used, or params name a host
            that it does not hold.
    """
    settings: Crawl = params.crawl
    root = inputs["sources"]
    manifest = manifests.load(root / "manifest.yaml")
    seeds = _seeds(manifest, settings, root / "manifest.yaml")
    output.mkdir(parents=True, exist_ok=True)
    with _resolver(root, manifest, settings) as resolve:
        rows = _visit(seeds, settings, resolve, output)
    foreign = _copy_foreign(root, manifest, settings, output)
    frame = pl.DataFrame([dataclasses.astuple(row) for row in rows], schema=_SCHEMA, orient="row")
    parquet.write(frame.sort(["url", "outcome"]), output / "fetches.parquet")
    outcomes = Counter(row.outcome for row in rows)
    return {
        "hosts": len(seeds),
        "fetches": len(rows),
        "pages": outcomes["fetched"],
        "bytes": sum(row.bytes for row in rows if row.outcome == "fetched"),
        "foreign": foreign,
        "outcomes": dict(sorted(outcomes.items())),
    }


def _seeds(manifest: Manifest, settings: Crawl, path: Path) -> dict[str, list[Visit]]:
    """Start URLs by host. A frozen crawl takes hosts with an archive, a live one those without."""
    unknown = sorted(set(settings.hosts) - set(manifest.hosts))
    if unknown:
        raise manifests.ManifestError(
            f"crawl.hosts: {', '.join(unknown)} not in {path}. Hosts there: {', '.join(manifest.hosts)}."
        )
    seeds: dict[str, list[Visit]] = {}
    for name, host in sorted(manifest.hosts.items()):
        if (settings.hosts and name not in settings.hosts) or not host.start:
            continue
        if settings.live == bool(host.archive):
            continue
        scheme = "https" if settings.live else "http"
        urls = [canonical(start, f"{scheme}://{name}/") for start in host.start]
        seeds[name] = [Visit(url, 0) for url in urls if url is not None]
    return seeds


@contextlib.contextmanager
def _resolver(root: Path, manifest: Manifest, settings: Crawl) -> Iterator[Resolver]:
    if settings.live:
        yield lambda host: None
    else:
        with Server(open_sites(root, manifest)) as server:
            yield server.resolve


def _visit(
    seeds: dict[str, list[Visit]], settings: Crawl, resolve: Resolver, output: Path
) -> list[Any]:
    """Crawl all hosts side by side, in rounds.

    A link to another host of the crawl waits for the next round: so the order within a host
    depends on the pages alone, not on which thread was faster.
    """
    limits = Limits(
        settings.max_bytes, settings.retries, settings.backoff_seconds, settings.timeout_seconds,
        tuple(settings.content_types),
    )  # fmt: skip
    reach = Reach(
        frozenset(seeds),
        settings.obey_robots,
        settings.max_pages,
        settings.max_depth,
        settings.max_redirects,
    )
    date = _date(settings)
    policy = "obey" if settings.obey_robots else "ignore"
    crawls: dict[str, HostCrawl] = {}
    for host in seeds:
        rate = Rate(1.0 / settings.requests_per_second)
        archive = Archive(
            output / f"{_file_name(host)}.warc.gz", settings.user_agent, policy, date()
        )
        fetcher = Fetcher(settings.user_agent, limits, resolve, rate)
        crawls[host] = HostCrawl(host, settings.user_agent, fetcher, rate, archive, reach, date)
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
                    if time.monotonic() - shown > 2:
                        shown = time.monotonic()
                        _say(crawls)
                job.result()
            found = [v for _, c in sorted(crawls.items()) for _, v in sorted(c.outbound.items())]
            for one in crawls.values():
                one.outbound = {}
            waiting = {}
            for visit in found:
                waiting.setdefault(host_of(visit.url), []).append(visit)
            waiting = {
                h: new for h, v in waiting.items() if (new := [x for x in v if crawls[h].is_new(x)])
            }
    for one in crawls.values():
        one.close()
    _say(crawls)
    return [row for _, one in sorted(crawls.items()) for row in one.rows]


def _say(crawls: dict[str, HostCrawl]) -> None:
    kept = sum(row.outcome == "fetched" for one in crawls.values() for row in list(one.rows))
    seen = sum(len(one.rows) for one in crawls.values())
    print(
        f"crawl: {len(crawls)} hosts, {seen} addresses, {kept} pages", file=sys.stderr, flush=True
    )


def _date(settings: Crawl) -> Callable[[], str]:
    if settings.live:
        return lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return lambda: settings.warc_date


def _file_name(host: str) -> str:
    return host.replace(":", "_")


def _copy_foreign(root: Path, manifest: Manifest, settings: Crawl, output: Path) -> int:
    """Other crawlers' WARC files, byte for byte; returns how many."""
    copied = 0
    for name, host in sorted(manifest.hosts.items()):
        if settings.hosts and name not in settings.hosts:
            continue
        for path in host.foreign:
            shutil.copyfile(root / path, output / f"foreign-{Path(path).name}")
            copied += 1
    return copied
