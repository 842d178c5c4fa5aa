"""One record to one document or one dropped row."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from regrow.data.text import html, pdf
from regrow.data.text.payload import Kind, kind_of
from regrow.data.text.record import Record
from regrow.data.text.xhtml import as_html
from regrow.data.web import charset, media
from regrow.data.web.coding import CodingError, CutShortError, TooLargeError, decoded
from regrow.data.web.cost import TooCostlyError
from regrow.params.sources import Text

# Control characters except tab and newline, and lone surrogates: nothing that text needs.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff"
_ASCII_CONTROLS = bytes([*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
# Characters that show nothing and only say where a line may or must not break, or how to add up:
# soft hyphen, zero width space, word joiner, Mongolian vowel separator, grapheme joiner, invisible
# operators, annotation marks. Not U+200C and U+200D, which Persian, Indic scripts and emoji need,
# and not the marks of direction, which say how to read.
_INVISIBLE = "\\u00ad\\u034f\\u180e\\u200b\\u2060-\\u2064\\ufff9-\\ufffb"
_NO_TEXT = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
_MIME = {"html": "text/html", "xhtml": "application/xhtml+xml", "plain": "text/plain"}


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


class _DropError(Exception):
    """Why a page becomes no document."""

    def __init__(
        self,
        reason: str,
        value: float | None = None,
        threshold: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason, self.value, self.threshold, self.detail = reason, value, threshold, detail


def document_id(url: str, payload: bytes) -> str:
    """First 32 hex digits of SHA-256 over URL, NUL and payload bytes."""
    return hashlib.sha256(url.encode("utf-8", "replace") + b"\0" + payload).hexdigest()[:32]


def convert(record: Record, settings: Text) -> Document | Dropped:
    """The document of a record, or why there is none.

    Raises nothing on purpose, but hands the record to parsers of other people; `worker` calls it where
    they can do no harm.
    """
    name = document_id(record.url, record.body)
    try:
        body = _payload(record, settings)
        if body is not record.body:
            name = document_id(record.url, body)
        return _document(record, name, body, settings)
    except _DropError as drop:
        return Dropped(name, record.url, drop.reason, drop.value, drop.threshold, drop.detail)


def _payload(record: Record, settings: Text) -> bytes:
    """The bytes of a page, all codings undone."""
    _check(record, settings)
    try:
        return decoded(record.body, record.headers, settings.max_html_bytes)
    except TooLargeError:
        raise _DropError("too_large", None, float(settings.max_html_bytes)) from None
    except CutShortError as error:
        raise _DropError("unreadable_record", None, None, str(error)) from None
    except CodingError as error:
        raise _DropError("bad_coding", detail=str(error)) from None


def _check(record: Record, settings: Text) -> None:
    """What the headers alone say against a record."""
    if record.kind == "revisit":
        raise _DropError("revisit", detail="the page is stored elsewhere")
    if record.role in ("sitemap", "robots"):
        raise _DropError(record.role)
    try:
        urlsplit(record.url)
    except ValueError as error:
        raise _DropError("bad_address", detail=str(error)) from None
    if (
        not record.role
        and record.url.partition("://")[2].partition("/")[2].split("?")[0] == "robots.txt"
    ):
        raise _DropError("robots_txt")
    if record.status != 200:
        raise _DropError("http_status", float(record.status), 200.0)
    if record.oversize or record.truncated == "length":
        raise _DropError("too_large", None, float(settings.max_html_bytes))
    if record.kind == "continuation" or record.truncated or record.short:
        part = "segment" if record.kind == "continuation" else record.truncated
        detail = part or f"{record.short} bytes missing"
        raise _DropError("unreadable_record", float(record.short), 0.0, detail)


def _document(record: Record, name: str, body: bytes, settings: Text) -> Document:
    content_type = record.headers.get("content-type", "")
    mime = media.essence(content_type)
    if not body.strip():
        raise _DropError("empty", 0.0, float(settings.min_characters))
    kind = kind_of(body, content_type)
    if kind == "other":
        raise _DropError("not_text", detail=mime or "no type")
    if kind == "pdf":
        try:
            title, text = pdf.extract(body, settings.pdf_max_pages)
        except pdf.PdfError as error:
            raise _DropError(error.reason, detail=str(error)) from None
        except TooCostlyError as error:
            raise _DropError(error.reason, error.value, error.limit, str(error)) from None
        found, mime = charset.Text(text, "pdf", 0), "application/pdf"
    else:
        found = _decoded(body, content_type, settings)
        title, text = _extracted(found.text, kind, settings)
        mime = mime if mime not in ("", "unknown/unknown", "application/unknown") else _MIME[kind]
    text = tidy(text)
    if len(text) < max(1, settings.min_characters):
        raise _DropError("empty", float(len(text)), float(settings.min_characters))
    return Document(name, record.url, mime, found.charset, tidy(title), text, found.invalid)


def _decoded(body: bytes, content_type: str, settings: Text) -> charset.Text:
    found = charset.decode(body, content_type, settings.max_invalid)
    if found is None:
        raise _DropError("bad_charset", None, settings.max_invalid, "no charset fits the bytes")
    if len(found.text) <= settings.max_line_characters:
        return found
    longest = max(map(len, found.text.replace("\r", "\n").split("\n")))
    if longest > settings.max_line_characters:
        raise _DropError("line_too_long", float(longest), float(settings.max_line_characters))
    return found


def _extracted(text: str, kind: Kind, settings: Text) -> tuple[str, str]:
    """(title, text) of a page that is decoded."""
    if kind == "plain":
        return "", text
    try:
        return html.extract(as_html(text) if kind == "xhtml" else text, settings.html_extractor)
    except TooCostlyError as error:
        raise _DropError(error.reason, error.value, error.limit, str(error)) from None


def tidy(text: str) -> str:
    """Newlines as \\n; no control or invisible characters, no space at line ends, no blank lines at the ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        text = text.encode("ascii").translate(None, _ASCII_CONTROLS).decode("ascii")
    else:
        text = _NO_TEXT.sub("", text)
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
