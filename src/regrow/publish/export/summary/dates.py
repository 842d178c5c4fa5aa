"""When the data was collected: the dates in the WARC files that the crawl left."""

from __future__ import annotations

from pathlib import Path

from regrow.publish.export.subject import Subject


def collected(subject: Subject) -> dict[str, tuple[str, str]]:
    """WARC file of the crawl -> first and last month (YYYY-MM) of its records.

    A broken file (a foreign one may be) gives the dates before the break.
    """
    record = subject.step("crawl")
    found = {}
    for entry in record.files if record else ():
        if not entry["path"].endswith(".warc.gz"):
            continue
        path = subject.outputs.path("crawl", entry["path"])
        months = _months(path) if path else set()
        if months:
            found[str(entry["path"])] = (min(months), max(months))
    return dict(sorted(found.items()))


def _months(path: Path) -> set[str]:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    months: set[str] = set()
    with path.open("rb") as stream:
        try:
            for record in ArchiveIterator(
                stream, record_types=WarcRecordType.response, parse_http=False
            ):
                date = record.headers.get("WARC-Date") or ""
                if len(date) >= 7:
                    months.add(date[:7])
        except Exception:
            # Broken compression or a broken header, reported by the text step in its drops.
            return months
    return months


def month(text: str) -> str:
    """`2026-11` as the template writes it: 11/2026."""
    year, number = text.split("-")
    return f"{number}/{year}"
