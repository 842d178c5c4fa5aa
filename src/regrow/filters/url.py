"""Banned hosts and banned words in URLs.

Source: RefinedWeb (arXiv 2306.01116, section 3.1 and appendix G.1): a list of hosts, and words that condemn a
URL wherever they stand in it as a whole word; OLMo 3, appendix A.2.1, filter 1. Their lists
hold millions of hosts; the lists here are params.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from regrow.filters.document import Document, Drop
from regrow.params.data import Filter

_PART = re.compile(r"[a-z0-9]+")


def host(url: str) -> str:
    """The host of a URL, lower case, without user, port and a leading `www.`."""
    rest = url.split("://", 1)[-1]
    name = re.split(r"[/?#]", rest, maxsplit=1)[0].rsplit("@", 1)[-1].lower()
    name = re.sub(r":\d*$", "", name)
    return name.removeprefix("www.")


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents whose host (or a parent of it) or whose URL words are banned."""
    name = host(document.url)
    for banned in params.url_hosts:
        if name == banned or name.endswith("." + banned):
            return Drop("url.host", detail=banned)
    parts = set(_PART.findall(unquote(document.url, errors="replace").lower()))
    for word in params.url_words:
        if word.lower() in parts:
            return Drop("url.word", detail=word)
    return None
