"""Links and robots directives of an HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from regrow.data.crawl.directives import directives
from regrow.data.crawl.tags import Tag, start_tags
from regrow.data.crawl.urls import MAX_LENGTH, canonical
from regrow.data.web import charset

_REFRESH = re.compile(
    r"""\s*[\d.]*(?>\s*[;,]\s*|\s+)(?:url\s*=\s*)?+(?:"([^"]*)|'([^']*)|(.+))""",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_WANTED = frozenset({"a", "area", "base", "frame", "iframe", "link", "meta"})


@dataclass(frozen=True)
class Page:
    """What a crawler wants to know of a page."""

    links: tuple[str, ...]
    """canonical URLs in the order of the page, each once"""
    noindex: bool
    nofollow: bool


def read_page(body: bytes, url: str, content_type: str = "", token: str = "regrow-crawler") -> Page:
    """Links of an HTML page: a, area, frame, iframe, link rel=next/prev, meta refresh.

    Not those of rel=nofollow. The page is decoded as the text step decodes it; in the query of a
    link, characters are escaped in that charset (URL standard, "encoding-parse").

    Args:
        body: without transfer and content coding.
        content_type: the header, whole.
        token: our product token: `<meta name=...>` addresses it or `robots`.
    """
    found = charset.decode(body, content_type, 1.0)
    text, codec = (found.text, found.charset) if found else (body.decode("latin-1"), "latin-1")
    xml = "application/xhtml+xml" in content_type.lower()
    said: list[str] = []
    base = ""
    raw: dict[str, None] = {}
    for tag in start_tags(text, xml, _WANTED):
        if tag.name == "meta":
            if tag.attributes.get("name", "").strip().lower() in ("robots", token):
                said.append(tag.attributes.get("content", ""))
        elif tag.name == "base" and not base:
            base = canonical(tag.attributes.get("href", ""), url) or ""
        for value in _addresses(tag):
            raw[value.partition("#")[0]] = None
    raw.pop("", None)
    links = (canonical(value, base or url, codec) for value in raw)
    noindex, nofollow = directives(said, token)
    return Page(tuple(dict.fromkeys(link for link in links if link)), noindex, nofollow)


def _addresses(tag: Tag) -> Iterator[str]:
    get = tag.attributes.get
    if tag.name == "meta":
        if get("http-equiv", "").strip().lower() == "refresh":
            yield refresh(get("content", ""))
    elif tag.name in ("frame", "iframe"):
        yield get("src", "").strip()
    elif tag.name in ("a", "area", "link"):
        rel = get("rel", "").lower().split()
        if "nofollow" in rel or (tag.name == "link" and not {"next", "prev"} & set(rel)):
            return
        yield get("href", "").strip()


def refresh(value: str) -> str:
    """The address in a Refresh header or a meta refresh; "" where the page loads itself again."""
    found = _REFRESH.match(value.strip()[: 2 * MAX_LENGTH])  # the pattern's cost is a square
    return (found[1] or found[2] or found[3] or "").strip() if found else ""
