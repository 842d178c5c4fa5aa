"""One record to one document or one dropped row."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from regrow.params.sources import Text
from regrow.text import html, pdf
from regrow.text.archive import Record
from regrow.text.payload import kind_of
from regrow.web import charset
from regrow.web.coding import CodingError, TooLargeError, decoded

# Control characters except tab and newline, and lone surrogates: nothing that text needs.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Document:
    """A page as text."""

    id: str
    url: str
    mime: str
    charset: str
    title: str
    text: str
    repaired: int
    """byte sequences that were not in the charset, removed"""


@dataclass(frozen=True)
class Dropped:
    """A page that became no document; the fields are those of the table of drops."""

    id: str
    url: str
    reason: str
    value: float | None = None
    threshold: float | None = None
    detail: str = ""


def document_id(url: str, payload: bytes) -> str:
    """First 32 hex digits of SHA-256 over URL, NUL and payload bytes."""
    return hashlib.sha256(url.encode("utf-8", "replace") + b"\0" + payload).hexdigest()[:32]


def convert(record: Record, settings: Text) -> Document | Dropped:
    """The document of a record, or why there is none. Never raises."""
    name = document_id(record.url, record.body)
    limit = settings.max_html_bytes

    def drop(
        reason: str, value: float | None = None, threshold: float | None = None, detail: str = ""
    ) -> Dropped:
        return Dropped(name, record.url, reason, value, threshold, detail)

    if record.kind == "revisit":
        return drop("revisit", detail="the page is stored elsewhere")
    if record.url.partition("://")[2].partition("/")[2].split("?")[0] == "robots.txt":
        return drop("robots_txt")
    if record.status != 200:
        return drop("http_status", float(record.status), 200.0)
    if record.oversize or record.truncated == "length":
        return drop("too_large", None, float(limit))
    if record.truncated or record.short:
        detail = record.truncated or f"{record.short} bytes missing"
        return drop("unreadable_record", float(record.short), 0.0, detail)
    try:
        body = decoded(record.body, record.headers, limit)
    except TooLargeError:
        return drop("too_large", None, float(limit))
    except CodingError as error:
        return drop("bad_coding", detail=str(error))
    name = document_id(record.url, body)
    content_type = record.headers.get("content-type", "")
    mime = content_type.partition(";")[0].strip().lower()
    kind = kind_of(body, mime)
    if not body.strip():
        return drop("empty", 0.0, float(settings.min_characters))
    if kind == "other":
        return drop("not_text", detail=mime or "no type")
    if kind == "pdf":
        try:
            title, text = pdf.extract(body, settings.pdf_max_pages)
        except pdf.PdfError as error:
            return drop(error.reason, detail=str(error))
        found = charset.Text(text, "pdf", 0)
        mime = "application/pdf"
    else:
        maybe = charset.decode(body, content_type, settings.max_invalid)
        if maybe is None:
            return drop("bad_charset", None, settings.max_invalid, "no charset fits the bytes")
        found = maybe
        longest = max(map(len, found.text.replace("\r", "\n").split("\n")))
        if longest > settings.max_line_characters:
            return drop("line_too_long", float(longest), float(settings.max_line_characters))
        title, text = "", found.text
        if kind == "html":
            mime = mime or "text/html"
            try:
                title, text = html.extract(found.text, settings.html_extractor)
            except html.DeepNestingError as error:
                return drop("too_deep", None, float(html.MAX_DEPTH), str(error))
        mime = mime or "text/plain"
    text = tidy(text)
    if len(text) < max(1, settings.min_characters):
        return drop("empty", float(len(text)), float(settings.min_characters))
    return Document(name, record.url, mime, found.charset, tidy(title), text, found.invalid)


def tidy(text: str) -> str:
    """Newlines as \\n, no control characters, no space at line ends, no blank lines at the ends."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
