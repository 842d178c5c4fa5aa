"""The media type that a Content-Type header means (WHATWG MIME Sniffing, sections 4.4 and 5.1)."""

from __future__ import annotations

import re

_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LISTED = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^",])+')
_LONGEST = 256  # RFC 6838 section 4.2
_UNKNOWN = frozenset({"unknown/unknown", "application/unknown", "*/*"})


def media_type(content_type: str) -> str:
    """`type/subtype` in lower case, without parameters; "" where the header says nothing.

    Of a list (two headers, or one that a proxy joined) the last valid member counts. A word
    without a slash, `*/*` and `unknown/unknown` say nothing: the body has to be looked at.
    """
    found = ""
    for member in _LISTED.findall(content_type):
        name = member.partition(";")[0].strip(" \t\r\n").lower()
        if name != "*/*" and len(name) < _LONGEST and _TYPE.fullmatch(name):
            found = name
    return "" if found in _UNKNOWN else found
