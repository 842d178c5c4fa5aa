"""Links and robots directives of an HTML page, addresses of a sitemap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from lxml import etree

from regrow.crawl.urls import canonical

_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
MAX_SITEMAP_URLS = 50_000  # sitemaps.org protocol


@dataclass(frozen=True)
class Page:
    """What a crawler wants to know of a page."""

    links: tuple[str, ...]
    """canonical URLs in the order of the page, each once"""
    noindex: bool
    nofollow: bool


def read_page(body: bytes, url: str) -> Page:
    """Links of an HTML page (a, area, frame, iframe, link rel=next/prev; not rel=nofollow).

    Addresses are ASCII nearly always, so the charset matters little here: the declared one is
    tried, then Latin-1.
    """
    found = _CHARSET.search(body[:4096])
    try:
        text = body.decode(found[1].decode("ascii") if found else "utf-8")
    except (UnicodeDecodeError, LookupError):
        text = body.decode("latin-1")
    try:
        # The parser wants bytes in one known charset; a declaration inside the page is overridden.
        root = etree.fromstring(text.encode("utf-8", "replace"), _parser())
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return Page((), False, False)
    directives = ",".join(
        element.get("content") or ""
        for element in root.iter("meta")
        if (element.get("name") or "").lower() == "robots"
    )
    noindex, nofollow = robots_directives(directives)
    bases = (canonical(element.get("href") or "", url) for element in root.iter("base"))
    base = next(bases, None) or url
    raw: dict[str, None] = {}
    for element in root.iter("a", "area", "frame", "iframe", "link"):
        rel = (element.get("rel") or "").lower()
        if "nofollow" in rel or (element.tag == "link" and rel not in ("next", "prev")):
            continue
        value = element.get("src" if element.tag in ("frame", "iframe") else "href")
        if value:
            raw[value.partition("#")[0]] = None
    raw.pop("", None)
    links = dict.fromkeys(link for value in raw if (link := canonical(value, base)))
    return Page(tuple(links), noindex, nofollow)


def _parser() -> etree.HTMLParser:
    return etree.HTMLParser(
        encoding="utf-8", recover=True, no_network=True, huge_tree=True, remove_comments=True
    )


def robots_directives(text: str) -> tuple[bool, bool]:
    """(noindex, nofollow) of a robots meta element or an X-Robots-Tag header."""
    words = {word.strip().lower() for word in text.split(",")}
    return bool(words & {"noindex", "none"}), bool(words & {"nofollow", "none"})


def read_sitemap(body: bytes, url: str) -> tuple[list[str], list[str]]:
    """(pages, further sitemaps) of a sitemap or sitemap index; both empty where it is no XML.

    A document type declaration is refused: sitemaps have none, and entities can explode.
    """
    if b"<!DOCTYPE" in body[:4096] or b"<!ENTITY" in body:
        return [], []
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        return [], []
    found = [
        link
        for element in root.iter()
        if element.tag.rpartition("}")[2] == "loc" and (link := canonical(element.text or "", url))
    ][:MAX_SITEMAP_URLS]
    if root.tag.rpartition("}")[2] == "sitemapindex":
        return [], found
    return found, []
