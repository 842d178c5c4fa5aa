"""What kind of content the bytes of a page are (WHATWG MIME Sniffing, section 7)."""

from __future__ import annotations

import re
from typing import Literal

from regrow.data.web import charset, media, sniff

Kind = Literal["html", "xhtml", "plain", "pdf", "other"]

_UNKNOWN = frozenset({"", "application/octet-stream", "unknown/unknown", "application/unknown"})
_XML = re.compile(r"(?:text|application)/xml|.*\+xml")
# Text for machines: tables, records, styles, programs that pages load, mark-up that needs its program.
_DATA = re.compile(
    r"text/(?:x-)?(?:css|csv|tab-separated-values|tsv|comma-separated-values|javascript|ecmascript|jscript|livescript"
    r"|json|calendar|vcalendar|vcard|directory|dns|vtt|event-stream|uri-list|cache-manifest|xsl|sgml|rtf|richtext"
    r"|enriched|component|cross-domain-policy|opml|javascript1\.\d|vnd\..*)"
)


def kind_of(body: bytes, content_type: str) -> Kind:
    """What the body is: by its first bytes where they say it clearly, else by the declared type.

    Declared HTML is HTML however it begins, as browsers take it. `text/markdown`, `text/x-python` and
    other text for people is plain text; tables and records (`text/csv`, `application/json`), styles and
    scripts are other. Without a type, or with one that says nothing, the first bytes decide.
    """
    mime = media.essence(content_type)
    if body[:1024].lstrip().startswith(b"%PDF-") or mime == "application/pdf":
        return "pdf"
    wide = charset.utf16(body, content_type) is not None
    start = body[:65_536].lstrip(b"\xff\xfe").replace(b"\0", b"") if wide else body
    if mime in _UNKNOWN:
        if sniff.has_html_root(start) and start.lstrip()[:5] == b"<?xml":
            return "xhtml"
        if sniff.is_html(start):
            return "other" if sniff.mostly_controls(start) else "html"
        return "other" if sniff.has_controls(start) else "plain"
    if not wide and sniff.mostly_controls(body):
        return "other"
    if mime == "text/html":
        return "html"
    if mime == "application/xhtml+xml":
        return "xhtml"
    if _XML.fullmatch(mime):
        return "xhtml" if sniff.has_html_root(start) else "other"
    return "plain" if mime.startswith("text/") and not _DATA.fullmatch(mime) else "other"
