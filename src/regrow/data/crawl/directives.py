"""Robots directives of a page: `<meta name=robots>` and X-Robots-Tag.

The header may address one robot: `X-Robots-Tag: otherbot: noindex, nofollow`. Directives are
separated by commas, semicolons or spaces, as pages write all three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"([^\s,;:]+)(\s*:)?")
_DATE = re.compile(r"[\d-]*t?\d+")  # the part of a date or time before its first colon
_TOKEN = re.compile(r"[A-Za-z_-]+")
# Directives, which are no robots' names even before a colon.
_DIRECTIVES = frozenset(
    {
        "all", "index", "follow", "noindex", "nofollow", "none", "noarchive", "nocache",
        "nosnippet", "notranslate", "noimageindex", "indexifembedded", "nositelinkssearchbox",
        "noodp", "noydir", "nopreview", "noai", "noimageai", "unavailable_after", "max-snippet",
        "max-image-preview", "max-video-preview",
    }
)  # fmt: skip


def product_token(text: str) -> str:
    """The name of a robot in a User-agent line or header, lower case (RFC 9309 section 2.2.1).

    Asterisks before it are left out; it ends at the first character that no token has.
    """
    found = _TOKEN.match(text.strip().lstrip("*"))
    return found[0].lower() if found else ""


def directives(values: Iterable[str], token: str) -> tuple[bool, bool]:
    """(noindex, nofollow) of X-Robots-Tag lines, or of the contents of robots meta elements.

    What follows `name:` in a line is for the robot of that name; `token` is ours.
    """
    words: set[str] = set()
    for value in values:
        ours = True
        for word, colon in _WORD.findall(value.lower()):
            if colon and word not in _DIRECTIVES and not _DATE.fullmatch(word):
                ours = word == "*" or product_token(word) == token
            elif ours:
                words.add(word)
    return bool(words & {"noindex", "none"}), bool(words & {"nofollow", "none"})
