"""What a person may mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """A document, or something that the flow made, that fits the query."""

    id: str | None
    """None: fetched or refused by the crawl, but never a document; or a file or host of the manifest"""
    url: str
    title: str = ""
    how: str = ""
    """`id`, `url`, `url contains`, `text`, `question`"""
    line: str = ""
    """the line that fits, of a search by text"""
    kind: str = "document"
    """or `task`, `example`, `pair`, `conversation` (of a fork), `made document` (of midtraining or long context)"""
