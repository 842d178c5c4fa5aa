"""The domains that the crawler visited, by size, and which of them the template wants listed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import polars as pl

from regrow.data.crawl.rows import SOURCES
from regrow.publish.export.subject import Subject

SME_MOST = 1000


@dataclass(frozen=True)
class Domain:
    """A domain name, all hosts below it together."""

    name: str
    pages: int
    size: int
    """bytes of the pages that were kept"""
    robots: int
    """addresses left alone because of robots.txt"""
    noindex: int
    """pages fetched and not kept because they ask for it"""
    listed: bool = False
    """whether the template wants it: top 10 % by size (top 5 % or 1,000 for SMEs)"""


def wanted(domains: int, sme: bool) -> int:
    """How many of the largest domains the template asks for, rounded up."""
    if sme:
        return min(-(-domains * 5 // 100), SME_MOST)
    return -(-domains * 10 // 100)


def domains(subject: Subject) -> list[Domain]:
    """The domains, largest first; [] where the crawl's table is not on disk or nothing was fetched."""
    table = subject.outputs.table("crawl", "fetches.parquet") if subject.step("crawl") else None
    if table is None:
        return []
    kept = pl.col("outcome") == "fetched"
    rows = (
        # Rows that name a file or a host of the manifest are no addresses.
        table.filter(~pl.col("outcome").is_in(sorted(SOURCES)))
        .group_by("host")
        .agg(
            kept.sum().alias("pages"),
            pl.when(kept).then(pl.col("bytes")).otherwise(0).sum().alias("size"),
            (pl.col("outcome") == "robots").sum().alias("robots"),
            (pl.col("outcome") == "noindex").sum().alias("noindex"),
        )
        .sort("host")
        .collect()
    )
    sums: dict[str, list[int]] = {}
    for host, *figures in rows.iter_rows():
        into = sums.setdefault(registrable(host or ""), [0, 0, 0, 0])
        for place, figure in enumerate(figures):
            into[place] += int(figure or 0)
    ranked = sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    most = wanted(len(ranked), bool(subject.about.provider.sme))
    return [
        Domain(name, pages, size, robots, noindex, rank < most)
        for rank, (name, (pages, size, robots, noindex)) in enumerate(ranked)
    ]


def copied(subject: Subject) -> list[tuple[str, int, int]]:
    """(domain, documents, bytes of text) out of archives of other crawlers, the most bytes first.

    A document of the text step whose address is no page that the run's own crawler kept came out of such an
    archive. [] where there is none, or the tables are not on disk.
    """
    gathered = subject.gathered
    if gathered is None or not gathered.foreign:
        return []
    fetched = subject.outputs.table("crawl", "fetches.parquet")
    extracted = subject.extracted
    text = subject.outputs.table(extracted.name, "documents.parquet") if extracted else None
    if fetched is None or text is None:
        return []
    own = fetched.filter(pl.col("outcome") == "fetched").select("url")
    size = pl.col("text").str.len_bytes().cast(pl.Int64)
    rows = text.join(own, on="url", how="anti").select("host", size.alias("size")).collect()
    sums: dict[str, list[int]] = {}
    for host, bytes_ in rows.iter_rows():
        into = sums.setdefault(registrable(host or ""), [0, 0])
        into[0] += 1
        into[1] += int(bytes_ or 0)
    ranked = sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    return [(name, documents, size) for name, (documents, size) in ranked]


@functools.cache
def registrable(host: str) -> str:
    """The registered domain of a host by the public suffix list; the host where it has none."""
    import tld

    name = host.partition(":")[0].lower()
    return str(tld.get_fld(f"http://{name}/", fail_silently=True) or name)
