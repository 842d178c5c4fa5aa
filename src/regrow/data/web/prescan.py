"""The charset that a page declares in itself (HTML standard, section 13.2.3.2, read as a tokenizer reads).

Comments are no tags, and what stands inside script, style, title, noscript, textarea or an attribute's
value declares nothing. The whole page is scanned if need be, because browsers also obey a `meta` that comes late.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_SPACE = rb"[\t\n\f\r ]"
_TOKEN = re.compile(
    rb"""<(?:
      !--(?:-?>|.*?(?:--!?>|\Z))
    | (?P<raw>script|style|title|noscript|textarea|iframe|xmp|noembed|noframes)(?=[\t\n\f\r />])
        (?:[^>"'=]++|=[\t\n\f\r ]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?|["'])*+(?:>|\Z)
        .*?(?:</(?P=raw)(?=[\t\n\f\r />])|\Z)
    | meta(?=[\t\n\f\r /])(?P<meta>(?:[^>"'=]++|=[\t\n\f\r ]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?|["'])*+)(?:>|\Z)
    | /?[a-z](?:[^>"'=]++|=[\t\n\f\r ]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?|["'])*+(?:>|\Z)
    | [!/?][^>]*+(?:>|\Z)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    rb"""([^\t\n\f\r />=][^\t\n\f\r />=]*+)[\t\n\f\r ]*+
    (?:=[\t\n\f\r ]*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\t\n\f\r >]*+)))?""",
    re.VERBOSE,
)
_CONTENT = re.compile(
    r"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE
)
_XML = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*<\?xml\b[^>]{0,256}?\bencoding\s*=\s*["']\s*([\w.:-]+)\s*["']"""
)
_LIMIT = 1 << 20
_ATTRIBUTES = 64


def xml_label(body: bytes) -> str | None:
    """The label in an XML declaration at the start."""
    found = _XML.match(body[:1_024])
    return found[1].decode("ascii", "replace") if found else None


def meta_labels(body: bytes) -> Iterator[str]:
    """The labels of the `meta` elements of the first megabyte, in order; looked for as they are asked for."""
    if b"charset" not in body[:_LIMIT].lower():
        return
    for token in _TOKEN.finditer(body[:_LIMIT]):
        tag = token["meta"]
        if tag is not None and (label := _label(tag)):
            yield label


def _label(tag: bytes) -> str | None:
    """`charset`, or `content` beside http-equiv=content-type; the first attribute of a name counts."""
    attributes: dict[str, str] = {}
    for number, found in enumerate(_ATTRIBUTE.finditer(tag)):
        if number == _ATTRIBUTES:
            break
        name = found[1].decode("latin-1").lower()
        value = (found[2] or found[3] or found[4] or b"").decode("latin-1")
        attributes.setdefault(name, html.unescape(value))
    if "charset" in attributes:
        return attributes["charset"].strip() or None
    if attributes.get("http-equiv", "").strip().lower() != "content-type":
        return None
    found_label = _CONTENT.search(attributes.get("content", ""))
    return next((label for label in found_label.groups() if label), None) if found_label else None
