"""Section 2.3: what was crawled, by which crawler, how it behaved, when, and the largest domains."""

from __future__ import annotations

from typing import Any

from regrow.crawl import manifest
from regrow.lineage.export.subject import Subject
from regrow.lineage.export.summary import sizes
from regrow.lineage.export.summary.dates import collected, month
from regrow.lineage.export.summary.domains import Domain, domains
from regrow.lineage.export.summary.field import Section, Table, known, modality, ticked, told
from regrow.lineage.sources import MANIFEST

_MOST_SHOWN = 1000


def section(subject: Subject) -> Section:
    """2.3."""
    record = subject.ledger.by_name.get("crawl")
    params: dict[str, Any] = (record.parts["params"].get("crawl") or {}) if record else {}
    if record is None:
        return Section(
            "2.3",
            "Data crawled and scraped from online sources",
            (ticked("used", "Were crawlers used by the provider or on their behalf?", False),),
        )
    found = domains(subject)
    sizes.complete(subject)
    live = bool(params.get("live"))
    note = (
        "The crawler visited hosts of the Internet."
        if live
        else "In this run the crawler visited no host of the Internet: it fetched pages that a local "
        "server serves from the archives of 2.1, under the host names below, so that the crawl can be "
        "repeated. It behaved as described."
    )
    return Section(
        "2.3",
        "Data crawled and scraped from online sources",
        (
            ticked("used", "Were crawlers used by the provider or on their behalf?", True, [record.file], note),
            known("names", "Crawler name(s)/identifier(s)", str(params.get("user_agent") or ""), [record.file]),
            told("purpose", "Purposes of the crawler(s)", subject.about.data.crawler_purpose,
                 "The flow uses what it fetched for the training sets of 1.3 and their evaluation."),
            known("behaviour", "General description of crawler behaviour", behaviour(params), [record.file]),
            known("period", "Period of data collection", _period(subject), [record.file]),
            known("content", "Comprehensive description of the types of content and online sources crawled",
                  _content(subject, params, found), [record.file, "records/text.json"]),
            modality(),
            known("domains", _label(subject), _table(subject, found), [record.file],
                  f"{sum(d.listed for d in found):,} of {len(found):,} domains are asked for; a star marks "
                  f"them. Shown: the {min(len(found), _shown(found)):,} largest."),
            *_foreign(subject),
        ),
    )  # fmt: skip


def behaviour(params: dict[str, Any]) -> tuple[str, ...]:
    """Sentences on the crawler: what its params say, and what its code does and does not do."""
    obeys = params.get("obey_robots")
    rate = params.get("requests_per_second")
    return tuple(
        text
        for text in (
            "Obeys robots.txt (RFC 9309) under its own name and the group for all, Crawl-delay included; "
            "does not keep pages whose robots meta element or X-Robots-Tag header says noindex."
            if obeys
            else "Does NOT obey robots.txt (crawl.obey_robots is false)."
            if obeys is False
            else "",
            "Follows no link marked nofollow." if obeys is not None else "",
            "Solves no captcha, fills in no form, logs in nowhere, runs no script and sends no cookie: "
            "what stands behind a captcha or a paywall is not fetched.",
            f"At most {rate:g} requests per second and host, at most {params['max_pages']:,} pages per host, "
            f"{params['max_depth']} links deep, {params['max_bytes']:,} bytes per page."
            if rate and {"max_pages", "max_depth", "max_bytes"} <= params.keys()
            else "",
            f"Keeps {', '.join(params['content_types'])}." if params.get("content_types") else "",
        )
        if text
    )


def _period(subject: Subject) -> str | None:
    months = collected(subject)
    own = [span for file, span in months.items() if not file.startswith("foreign-")]
    if not own:
        return None
    first, last = min(a for a, _ in own), max(b for _, b in own)
    return f"From {month(first)} to {month(last)}"


def _content(subject: Subject, params: dict[str, Any], found: list[Domain]) -> tuple[str, ...]:
    crawl = subject.ledger.by_name["crawl"].counts
    text = subject.ledger.by_name.get("text")
    titles = sorted({s.title for s in subject.sources if s.title})
    pages, size = sum(d.pages for d in found), sum(d.size for d in found)
    outcomes = crawl.get("outcomes") or {}
    return tuple(
        sentence
        for sentence in (
            f"{pages:,} pages ({size:,} bytes) of {len(found):,} domains: {'; '.join(titles)}."
            if found
            else "",
            f"{text.counts['kept']:,} documents of text came out of them."
            if text and isinstance(text.counts.get("kept"), int)
            else "",
            "Addresses by outcome: "
            + ", ".join(f"{k} {v:,}" for k, v in sorted(outcomes.items()))
            + "."
            if outcomes
            else "",
        )
        if sentence
    )


def _label(subject: Subject) -> str:
    rule = (
        "top 5 % or 1,000 of all domains, whichever is lower (SME)"
        if subject.about.provider.sme
        else "top 10 % of all domains"
    )
    return f"Summary of the most relevant domain names crawled: {rule}, by size of the content"


def _shown(found: list[Domain]) -> int:
    return max(sum(d.listed for d in found), min(len(found), _MOST_SHOWN))


def _table(subject: Subject, found: list[Domain]) -> Table | None:
    licences: dict[str, set[str]] = {}
    for source in subject.sources:
        for place in source.places:
            licences.setdefault(place.partition("/")[0], set()).add(source.licence)
    rows = tuple(
        (
            f"★ {one.name}" if one.listed else one.name,
            one.pages,
            one.size,
            one.robots,
            one.noindex,
            ", ".join(sorted(licences.get(one.name, ()))) or "not recorded",
        )
        for one in found[: _shown(found)]
    )
    columns = (
        "Domain",
        "Pages",
        "Bytes",
        "Left alone (robots.txt)",
        "Not kept (noindex)",
        "Licences",
    )
    return Table(columns, rows) if rows else None


def _foreign(subject: Subject) -> list[Any]:
    """Crawls of others that were read beside the run's own."""
    path = subject.ledger.root / MANIFEST
    if not path.is_file():
        return []
    files = sorted({f for host in manifest.load(path).hosts.values() for f in host.foreign})
    if not files:
        return []
    months = collected(subject)
    spans = []
    for file in files:
        span = months.get(f"foreign-{file.rpartition('/')[2]}")
        when = f" ({month(span[0])} to {month(span[1])})" if span else " (no readable date)"
        spans.append(f"sources/{file}{when}")
    return [
        known(
            "foreign",
            "WARC files of other crawlers, read beside the run's own",
            tuple(spans),
            ["records/crawl.json"],
        )
    ]
