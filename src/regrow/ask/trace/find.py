"""What does a person mean: a document by id, URL or a line of text; a task, example or pair by id."""

from __future__ import annotations

import re

from regrow.ask.trace import forks, manifest, scan
from regrow.ask.trace.made import find_made
from regrow.ask.trace.match import Match
from regrow.ask.trace.reading import Reading
from regrow.evidence.errors import Unanswerable
from regrow.evidence.lookup.keys import bare
from regrow.evidence.outputs import Outputs

_ID = re.compile(r"[0-9a-f]{6,32}")


def find(outputs: Outputs, query: str, as_text: bool = False) -> list[Match]:
    """What fits `query`, documents sorted by URL; the narrowest reading that fits anything wins.

    Ids and whole URLs are looked up, which takes the same time at any size. A part of a URL and a line
    of text (`as_text`: nothing but that) are searched for in the tables.

    Raises:
        Unanswerable: nothing fits; the message names what comes nearest.
    """
    text = query.strip()
    if not text:
        raise Unanswerable("an empty query: give a document id, a URL or a line of text.")
    if as_text:
        found = scan.by_text(outputs, text)
        if not found:
            raise _nothing(outputs, text)
        return found
    made = find_made(outputs, text)
    documents = _by_id(outputs, text.lower()) if _ID.fullmatch(text.lower()) else []
    if made and not any(match.id == text.lower() for match in documents):
        return made
    if documents:
        return documents
    known = _by_url(outputs, text) or _by_file(outputs, text)
    return known or _searched(outputs, text)


def _by_file(outputs: Outputs, text: str) -> list[Match]:
    """The document that a file of a source is: `corpus/notes/plan.md`."""
    if " " in text or "/" not in text:
        return []
    addresses = Reading(outputs).addresses(text.removeprefix("./"))
    return scan.in_order(match for url in addresses for match in _by_url(outputs, url))


def _searched(outputs: Outputs, text: str) -> list[Match]:
    """What a look at every row finds."""
    address = bare(text)
    inside = " " not in text and len(text) > 3
    if inside and ("/" in address or "." in address):
        found = scan.by_part_of_url(outputs, address)
        if found:
            return found
    found = scan.by_text(outputs, text)
    if not found and " " not in text:
        found = scan.by_part_of_url(outputs, text)
    if not found:
        raise _nothing(outputs, text)
    return found


def _nothing(outputs: Outputs, text: str) -> Unanswerable:
    if scan.known(outputs).is_empty():
        return Unanswerable(f"no documents on disk. {outputs.hint()}".strip())
    if Reading(outputs).addresses(text):
        return Unanswerable(
            f"`{scan.short(text)}` is a file of a source, and no document is called so: its rows have ids and addresses of "
            "their own. Fix: name one of these, or a line of its text."
        )
    return Unanswerable(
        f"no document has the id, URL or text `{scan.short(text)}`.{scan.nearest(outputs, text)}"
    )


def _by_id(outputs: Outputs, prefix: str) -> list[Match]:
    found: dict[str, Match] = {}
    rows = [
        r for job, file in scan.tables(outputs) for r in outputs.begins(job, file, "id", prefix)
    ]
    for _, path in forks.tables(outputs):
        rows += outputs.lookup.begins(path, "id", prefix)
    for row in rows:
        match = Match(row["id"], row.get("url") or "", row.get("title") or "", "id")
        found.setdefault(match.id or "", match)
    return scan.in_order(found.values())


def _by_url(outputs: Outputs, text: str) -> list[Match]:
    """Documents, and addresses that gave none, of that URL; else of that URL but for scheme and slash.

    Where there are none: the WARC file, or the host that was not visited, that the manifest calls so.
    """
    paths = [path for job, file in scan.tables(outputs) if (path := outputs.path(job, file))]
    paths += [path for _, path in forks.tables(outputs)]
    rows = [row for path in paths for row in outputs.lookup.bare(path, text)]
    found = {
        row["id"]: Match(row["id"], row["url"], row.get("title") or "", "url")
        for row in reversed(rows)
    }
    fetches = outputs.path("crawl", "fetches.parquet")
    addresses = {match.url for match in found.values()}
    met = outputs.lookup.bare(fetches, text) if fetches else []
    addressed = [row for row in met if manifest.is_address(row)]
    rest = addressed if addressed or found else met
    alone = {row["url"]: Match(None, row["url"], "", "url") for row in rest}
    matches = [*found.values(), *(m for url, m in alone.items() if url not in addresses)]
    exact = [match for match in matches if match.url == text.split("#")[0]]
    if exact or (" " not in text and len(text) > 3):
        return scan.in_order(exact or matches)
    return []
