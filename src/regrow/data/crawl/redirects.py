"""Where an answer sends on."""

from __future__ import annotations

from regrow.data.crawl.fetch import Answer
from regrow.data.crawl.links import refresh
from regrow.data.crawl.urls import canonical, from_header

STATUSES = frozenset({300, 301, 302, 303, 307, 308})
"""300 too: where it has a Location, that is the server's preferred choice (RFC 9110, 15.4.1)"""


def location(answer: Answer, url: str) -> str | None:
    """The canonical address in Location of a redirect; None where there is none to go to."""
    sent = answer.header("Location") if answer.status in STATUSES else ""
    return canonical(from_header(sent), url) if sent else None


def refreshed(answer: Answer, url: str) -> str | None:
    """The address in a Refresh header; None where there is none."""
    to = refresh(from_header(answer.header("Refresh")))
    return canonical(to, url) if to else None
