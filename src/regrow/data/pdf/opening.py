"""A PDF opened by pdfium: after its cost is counted, without fonts of this machine, or the reason why not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from regrow.data.text import pdf, pdf_cost

_HEADER_WITHIN = 1024
"""bytes at the beginning, as Acrobat and pdfium look for the header (ISO 32000-2, annex I)"""


@contextlib.contextmanager
def opened(body: bytes, max_pages: int) -> Iterator[pdfium.PdfDocument]:
    """A PDF to read; `max_pages` are the pages that count for its cost.

    Raises:
        regrow.data.text.pdf.PdfError: encrypted_pdf, broken_pdf.
        regrow.data.web.cost.TooCostlyError: it would take pdfium far longer than its length says.
    """
    pdf._no_system_fonts()  # not renamed: that would move the key of the crawl's text
    if b"%PDF-" not in body[:_HEADER_WITHIN]:
        raise pdf.PdfError("broken_pdf", "no %PDF- header")
    pdf_cost.check(body, max_pages)
    try:
        document = pdfium.PdfDocument(body)
        pages = len(document)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise pdf.PdfError("encrypted_pdf", "needs a password") from None
        raise pdf.PdfError("broken_pdf", str(error)) from None
    try:
        if pages < 1:
            raise pdf.PdfError("broken_pdf", "no pages")
        yield document
    finally:
        document.close()
