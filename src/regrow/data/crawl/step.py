"""The crawl step: visit every host of the sources manifest, leave WARC files and a table.

A frozen crawl (the default) starts a loopback server with the archives of the manifest; hosts are
virtual, times are fixed, so that its output is a function of its inputs. A live crawl visits real
hosts with the same code; its WARC files carry the time of each request and are themselves the
frozen source from which everything after begins (docs/guides/sources.md).
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.crawl import foreign, rows
from regrow.data.crawl import manifest as manifests
from regrow.data.crawl.fetch import Fetcher, Limits, Resolver
from regrow.data.crawl.frontier import Visit
from regrow.data.crawl.host import HostCrawl
from regrow.data.crawl.manifest import Manifest
from regrow.data.crawl.rate import Rate
from regrow.data.crawl.rounds import visit_all
from regrow.data.crawl.server import Server, open_sites
from regrow.data.crawl.urls import canonical
from regrow.data.crawl.warc import Archive
from regrow.data.crawl.wellknown import Reach
from regrow.data.tables import parquet
from regrow.params.sources import Crawl


def crawl(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with `<host>.warc.gz`, `foreign-<name>.warc.gz` and `fetches.parquet`.

    `inputs["sources"]` is the folder with manifest.yaml; `params.crawl` says how to behave.

    Raises:
        regrow.data.crawl.manifest.ManifestError: the manifest cannot be used, a file that it names is
            missing or unreadable, or params name a host that it does not hold.
        RuntimeError: a host, file or address that went in has no row.
    """
    settings: Crawl = params.crawl
    root = inputs["sources"]
    manifest = manifests.load(root / "manifest.yaml")
    chosen = _chosen(manifest, settings, root / "manifest.yaml")
    seeds = _seeds(manifest, settings, chosen)
    output.mkdir(parents=True, exist_ok=True)
    copies = foreign.copy(root, manifest, chosen, output)
    with _resolver(root, manifest, settings) as resolve:
        crawls = _crawls(seeds, settings, resolve, output)
        visit_all(crawls, seeds)
    met = [row for _, one in sorted(crawls.items()) for row in one.rows]
    left = _not_visited(manifest, chosen, seeds)
    _check(manifest, chosen, [*met, *copies.rows, *left])
    frame = pl.DataFrame(
        [dataclasses.astuple(row) for row in [*met, *copies.rows, *left]],
        schema=rows.SCHEMA, orient="row",
    )  # fmt: skip
    order = ["url", "outcome", "host", "depth", "detail"]
    parquet.write(frame.sort(order), output / "fetches.parquet")
    _tell_unnamed(copies.unnamed)
    outcomes = Counter(row.outcome for row in met)
    return {
        "hosts": len(seeds),
        "not_visited": len(left),
        "fetches": len(met),
        "pages": outcomes["fetched"],
        "bytes": sum(row.bytes for row in met if row.outcome == "fetched"),
        "outside": len({url for one in crawls.values() for url in one.outside}),
        "foreign": copies.files,
        "unnamed": {"hosts": len(copies.unnamed), "records": copies.unnamed.total()},
        "outcomes": dict(sorted(outcomes.items())),
    }


def _chosen(manifest: Manifest, settings: Crawl, path: Path) -> list[str]:
    """The hosts that params ask for; all of the manifest where they name none."""
    asked = {name: manifests.canonical_name(name) for name in settings.hosts}
    unknown = sorted(name for name, one in asked.items() if one not in manifest.hosts)
    if unknown:
        raise manifests.ManifestError(
            f"crawl.hosts: {', '.join(unknown)} not in {path}. Hosts there: {', '.join(manifest.hosts)}."
        )
    wanted = set(asked.values())
    return sorted(name for name in manifest.hosts if not wanted or name in wanted)


def _seeds(manifest: Manifest, settings: Crawl, chosen: list[str]) -> dict[str, list[Visit]]:
    """Start URLs by host. A frozen crawl takes hosts with an archive, a live one those without."""
    scheme = "https" if settings.live else "http"
    seeds: dict[str, list[Visit]] = {}
    for name in chosen:
        host = manifest.hosts[name]
        if host.start and settings.live != bool(host.archive):
            urls = (canonical(start, f"{scheme}://{name}/") for start in host.start)
            seeds[name] = [Visit(url, 0) for url in urls if url is not None]
    return seeds


def _not_visited(
    manifest: Manifest, chosen: list[str], seeds: dict[str, list[Visit]]
) -> list[rows.Fetch]:
    """A row for each host of the manifest of which nothing was read, with the reason."""
    found = []
    for name, host in sorted(manifest.hosts.items()):
        if name in seeds or (name in chosen and host.foreign):
            continue
        if name not in chosen:
            why = "not among crawl.hosts"
        elif host.archive:
            why = "it has an archive, and the crawl is live"
        else:
            why = "it has no archive, and the crawl is frozen" if host.start else "no `start`"
        if host.foreign:
            why += f"; {len(host.foreign)} foreign files not read"
        found.append(rows.Fetch(f"http://{name}/", name, 0, "", 0, 0, "not_visited", why))
    return found


def _check(manifest: Manifest, chosen: list[str], found: list[rows.Fetch]) -> None:
    """Every host of the manifest, and every foreign file of a chosen one, has a row."""
    files = {path for name in chosen for path in manifest.hosts[name].foreign}
    unread = sorted(files - {row.url for row in found if row.outcome == "foreign"})
    if unread:
        raise RuntimeError(f"foreign files without a row: {', '.join(unread)}")
    lost = sorted(set(manifest.hosts) - {row.host for row in found})
    if lost:
        raise RuntimeError(f"hosts of the manifest without a row: {', '.join(lost)}")


def _tell_unnamed(unnamed: Counter[str]) -> None:
    """Say which hosts of foreign files the manifest does not name: their licence is unknown."""
    if unnamed:
        most = ", ".join(f"{host} ({n})" for host, n in sorted(unnamed.items(), key=_largest)[:5])
        print(
            f"crawl: warning: {unnamed.total()} records of {len(unnamed)} hosts in foreign files are "
            f"of no part of the manifest, so their source and licence are unknown: {most}"
            f"{' …' if len(unnamed) > 5 else ''}. Name them under `hosts` in manifest.yaml.",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def _largest(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


@contextlib.contextmanager
def _resolver(root: Path, manifest: Manifest, settings: Crawl) -> Iterator[Resolver]:
    if settings.live:
        yield lambda host: None
    else:
        with Server(open_sites(root, manifest)) as server:
            yield server.resolve


def _crawls(
    seeds: dict[str, list[Visit]], settings: Crawl, resolve: Resolver, output: Path
) -> dict[str, HostCrawl]:
    """A crawl for each host."""
    limits = Limits(
        settings.max_bytes, settings.retries, settings.backoff_seconds, settings.timeout_seconds,
        tuple(settings.content_types),
    )  # fmt: skip
    reach = Reach(
        frozenset(seeds), settings.obey_robots, settings.max_pages, settings.max_depth,
        settings.max_redirects, settings.max_delay_seconds,
    )  # fmt: skip
    date = _date(settings)
    agent = settings.user_agent
    policy = "obey" if settings.obey_robots else "ignore"
    crawls: dict[str, HostCrawl] = {}
    for host in seeds:
        rate = Rate(1.0 / settings.requests_per_second)
        archive = Archive(output / f"{_file_name(host)}.warc.gz", agent, policy, date())
        fetcher = Fetcher(agent, limits, resolve, rate)
        crawls[host] = HostCrawl(host, agent, fetcher, rate, archive, reach, date)
    return crawls


def _date(settings: Crawl) -> Callable[[], str]:
    if settings.live:
        return lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return lambda: settings.warc_date


def _file_name(host: str) -> str:
    return host.replace(":", "_")
