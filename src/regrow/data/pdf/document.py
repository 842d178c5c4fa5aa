"""A file of PDF to a document or a drop: what the process with limits does for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from regrow.data.pdf.extract import Extracted, ScannedError, extract
from regrow.data.text.document import Document, Dropped, document_id
from regrow.data.text.pdf import PdfError
from regrow.data.text.record import Record
from regrow.data.web.cost import TooCostlyError
from regrow.params.sources import Text

OCR = "regrow-ocr"
"""header of a record that brings what OCR read: JSON with `total` (pages) and `pages` (page -> text)"""


def convert(record: Record, settings: Text) -> tuple[Document | Dropped, dict[str, str]]:
    """The document of a PDF with its metadata, or why there is none.

    Metadata, all text: `pages` of the file; `pdf_page_numbers`, the page map (`regrow.data.pdf.pagemap`);
    `pages_left_out` behind the limit of the params; `scanned_pages`, `unmapped_pages` (of fonts that do not say which
    characters they show), `ocr_pages` (of both, read by OCR), `broken_pages`: lists of pages; `running_lines`: headers and footers that were left out; `ocr`: `other_pages` where OCR read a
    file of another number of pages, which is not used. What does not apply is left out.
    """
    own = document_id(record.url, record.body)
    told = json.loads(record.headers.get(OCR, "{}"))
    try:
        found = extract(record.body, settings.pdf_max_pages, *_ocr(told))
    except TooCostlyError as error:
        return Dropped(own, record.url, error.reason, error.value, error.limit, str(error)), {}
    except ScannedError as error:
        pages = float(error.pages)
        return Dropped(own, record.url, error.reason, pages, None, str(error)), {}
    except PdfError as error:
        return Dropped(own, record.url, error.reason, detail=str(error)), {}
    if len(found.text) < settings.min_characters:
        size, limit = float(len(found.text)), float(settings.min_characters)
        return Dropped(own, record.url, "empty", size, limit), {}
    document = Document(own, record.url, "application/pdf", "pdf", found.title, found.text, 0)
    return document, _metadata(found, told)


def _ocr(told: Mapping[str, Any]) -> tuple[dict[int, str], int]:
    pages = {int(page): str(text) for page, text in told.get("pages", {}).items()}
    return pages, int(told.get("total", 0))


def _metadata(found: Extracted, told: Mapping[str, Any]) -> dict[str, str]:
    said: dict[str, Any] = {
        "pages": found.pages,
        "pdf_page_numbers": found.spans,
        "pages_left_out": found.pages - found.read,
        "scanned_pages": found.scanned,
        "ocr_pages": found.recognised,
        "broken_pages": found.broken,
        "unmapped_pages": found.unmapped,
        "running_lines": found.running,
    }
    named = {name: json.dumps(value) for name, value in said.items() if value}
    if told.get("total") and told["total"] != found.pages:
        named["ocr"] = "other_pages"
    elif found.recognised and told.get("model"):
        named["ocr"] = str(told["model"])
    return named
