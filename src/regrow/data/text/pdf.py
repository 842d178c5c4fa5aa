"""PDF to text with pdfium: the text that a born-digital PDF carries, page by page."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from regrow.data.text import pdf_cost
from regrow.data.text.lines import joined

_MIN_CHARACTERS = 20
"""fewer on all pages together: the PDF holds pictures only"""
_LEADERS = re.compile(r"(?: ?\.){5,}")
"""rows of dots in tables of contents"""
_SPACES = re.compile(r"[ \t]+")


class PdfError(Exception):
    """A PDF without usable text; `reason` is encrypted_pdf, broken_pdf or image_only_pdf."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def extract(body: bytes, max_pages: int) -> tuple[str, str]:
    """(title, text) of a PDF, pages parted by blank lines; pages after `max_pages` are left out.

    Lines are joined to paragraphs and words that were split at line ends are put together (`lines`).

    Raises:
        PdfError: encrypted, broken, or without text.
        regrow.data.web.cost.TooCostlyError: it would take pdfium far longer than its length says.
    """
    _no_system_fonts()
    if b"%PDF-" not in body[:1024]:
        raise PdfError("broken_pdf", "no %PDF- header")
    pdf_cost.check(body, max_pages)
    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise PdfError("encrypted_pdf", "needs a password") from None
        raise PdfError("broken_pdf", str(error)) from None
    try:
        pages = [_page(document, number) for number in range(min(len(document), max_pages))]
        title = " ".join((document.get_metadata_value("Title") or "").split())
    finally:
        document.close()
    text = "\n\n".join(page for page in joined(pages) if page)
    if len(text.strip()) < _MIN_CHARACTERS:
        raise PdfError("image_only_pdf", f"{len(pages)} pages, {len(text.strip())} characters")
    return title, text


def _page(document: pdfium.PdfDocument, number: int) -> str:
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return ""  # one broken page does not spoil the others
    words = page.get_textpage()
    text = words.get_text_bounded()
    words.close()
    page.close()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_SPACES.sub(" ", _LEADERS.sub(" ", line)).strip() for line in text.split("\n"))


_fonts: Any = None


def _no_system_fonts() -> None:
    """Let pdfium see no fonts of this machine.

    A PDF may leave fonts out; pdfium would then measure with whatever is installed, and word gaps
    depend on widths. Without system fonts it takes the ones it carries.
    """
    global _fonts
    if _fonts is not None:
        return
    info = raw.FPDF_SYSFONTINFO()
    info.version = 1
    kinds = dict(raw.FPDF_SYSFONTINFO._fields_)
    callbacks = {
        "Release": lambda this: None,
        "EnumFonts": lambda this, mapper: None,
        "MapFont": lambda this, weight, italic, charset, pitch, face, exact: None,
        "GetFont": lambda this, face: None,
        "GetFontData": lambda this, font, table, buffer, size: 0,
        "GetFaceName": lambda this, font, buffer, size: 0,
        "GetFontCharset": lambda this, font: 0,
        "DeleteFont": lambda this, font: None,
    }
    for name, function in callbacks.items():
        setattr(info, name, kinds[name](function))
    raw.FPDF_SetSystemFontInfo(ctypes.byref(info))
    _fonts = info  # pdfium keeps the pointer
