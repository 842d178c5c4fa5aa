"""Section 2.3: what was crawled, by which crawler, how it behaved, when, and the largest domains."""

from __future__ import annotations

from typing import Any

from regrow.evidence.record import Record
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes
from regrow.publish.export.summary.dates import collected, month
from regrow.publish.export.summary.domains import Domain, copied, domains
from regrow.publish.export.summary.field import (
    Field,
    Section,
    Table,
    asked,
    known,
    modality,
    ticked,
    told,
)
from regrow.release.gathering import Gathered
from regrow.release.sentence import plural

_MOST_SHOWN = 1000


def section(subject: Subject) -> Section:
    """2.3. What the run's own crawler did follows from its record; what others' did is in none."""
    gathered, record = subject.gathered, subject.step("crawl")
    title = "Data crawled and scraped from online sources"
    question = "Were crawlers used by the provider or on their behalf?"
    if gathered is None or record is None:
        note = f"No crawl is among the records of this model. {_others(subject)}".strip()
        return Section("2.3", title, (asked("used", question, None, note),))
    if not gathered.fetches:
        note = (
            f"The run's own crawler fetched nothing ({record.file}: {gathered.fetches or 0} fetches). "
            f"{_foreign_note(gathered)} {_others(subject)}".strip()
        )
        return Section(
            "2.3",
            title,
            (asked("used", question, None, note), *_copied(subject), *_foreign(subject)),
        )
    params: dict[str, Any] = record.parts["params"].get("crawl") or {}
    found = domains(subject)
    sizes.complete(subject)
    return Section(
        "2.3",
        title,
        (
            ticked("used", question, True, [record.file], _where(gathered)),
            known("names", "Crawler name(s)/identifier(s)", str(params.get("user_agent") or ""), [record.file]),
            told("purpose", "Purposes of the crawler(s)", subject.about.data.crawler_purpose),
            known("behaviour", "General description of crawler behaviour", behaviour(params), [record.file],
                  f"What it does and does not do is that of the code with the digest {subject.artifacts[record.name].code[:16]}."),
            known("period", "Period of data collection", _period(subject), [record.file]),
            known("content", "Comprehensive description of the types of content and online sources crawled",
                  _content(subject, record, found), [record.file, *_extracted(subject)]),
            modality(),
            known("domains", _label(subject), _table(subject, found), [record.file],
                  f"{sum(d.listed for d in found):,} of {len(found):,} domains are asked for; a star marks "
                  f"them. Shown: the {min(len(found), _shown(found)):,} largest." if found else ""),
            *_copied(subject),
            *_foreign(subject),
        ),
    )  # fmt: skip


def _where(gathered: Gathered) -> str:
    count = f"{gathered.fetches or 0:,} addresses"
    if gathered.live:
        return f"The crawler came to {count} of hosts on the Internet."
    return (
        f"In this run the crawler visited no host of the Internet: it came to {count} that the run itself serves from "
        "archives of its sources, under the host names below, so that the crawl can be repeated."
    )


def _others(subject: Subject) -> str:
    """What is known of the crawling of files that the recipe names."""
    if not subject.corpora:
        return ""
    return (
        f"Text was read from files of sources that the recipe names ({', '.join(subject.corpora)}; 2.6 lists them). "
        "Whether they hold pages that were crawled by the provider or on its behalf, and how, is in no record."
    )


def _extracted(subject: Subject) -> list[str]:
    return [subject.extracted.file] if subject.extracted else []


def _foreign_note(gathered: Gathered) -> str:
    if not gathered.foreign:
        return ""
    return (
        f"Its text comes from {plural(len(gathered.foreign), 'WARC file')} from elsewhere, listed below. Whether the pages were "
        "crawled by the provider or on its behalf, and how, is in no record."
    )


def behaviour(params: dict[str, Any]) -> tuple[str, ...]:
    """Sentences on the crawler: what its params say, and what its code does and does not do."""
    obeys = params.get("obey_robots")
    rate = params.get("requests_per_second")
    return tuple(
        text
        for text in (
            "Set to obey robots.txt (RFC 9309) under its own name and the group for all, Crawl-delay included, and "
            "to keep no page whose robots meta element or X-Robots-Tag header says noindex."
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


def _content(subject: Subject, record: Record, found: list[Domain]) -> tuple[str, ...]:
    crawl = record.counts
    text = subject.extracted
    gathered = subject.gathered
    came = {row["name"] for row in sizes.shares(sizes.composition(subject), "source")}
    titles = sorted({s.title for s in subject.sources if s.title and not s.kind and s.name in came})
    pages, size = sum(d.pages for d in found), sum(d.size for d in found)
    outcomes = crawl.get("outcomes") or {}
    return tuple(
        sentence
        for sentence in (
            f"{pages:,} pages ({size:,} bytes) of {len(found):,} domains were kept."
            if found
            else "",
            f"Sources by the manifest's titles, of which documents came through: {'; '.join(titles)}."
            if titles
            else "",
            f"{text.counts['kept']:,} documents of text came out of them"
            + (" and the WARC files of other crawlers." if gathered and gathered.foreign else ".")
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


def _copied(subject: Subject) -> list[Field]:
    """The domains whose pages came out of other crawlers' WARC files."""
    found = copied(subject)
    sizes.complete(subject)
    if not found:
        return []
    table = Table(("Domain", "Documents of text", "Bytes of text"), tuple(found[:_MOST_SHOWN]))
    note = (
        f"All {len(found):,}."
        if len(found) <= _MOST_SHOWN
        else (f"The {_MOST_SHOWN:,} largest of {len(found):,}.")
    )
    label = "Domains whose pages came out of WARC files of other crawlers"
    return [known("copied", label, table, ["records/crawl.json", *_extracted(subject)], note)]


def _foreign(subject: Subject) -> list[Field]:
    """The WARC files of others that were read, by the crawl's record."""
    gathered = subject.gathered
    if gathered is None or not gathered.foreign:
        return []
    months = collected(subject)
    spans = []
    for file in gathered.foreign:
        span = months.get(file)
        when = f" ({month(span[0])} to {month(span[1])})" if span else " (no readable date)"
        spans.append(f"{file}{when}")
    label = "WARC files of other crawlers that were read"
    return [known("foreign", label, tuple(spans), ["records/crawl.json"])]
