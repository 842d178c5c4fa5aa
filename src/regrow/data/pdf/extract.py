"""A PDF to text in reading order, with a page map and its scanned pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium

from regrow.data.pdf import page, pagemap, paragraphs
from regrow.data.pdf.opening import opened
from regrow.data.pdf.page import FEW, Page
from regrow.data.pdf.paragraphs import Paragraph
from regrow.data.pdf.running import running
from regrow.data.pdf.segments import Segment
from regrow.data.text.document import tidy
from regrow.data.text.lines import joined
from regrow.data.text.pdf import PdfError
from regrow.data.web.cost import TooCostlyError

MAX_CHARACTERS = 4_000_000
"""of all pages; a book of 1,000 pages has 2.5 million"""
_STAMPS = 3
"""pages on which text at another angle is found, from which on it is a stamp"""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_UNSPACED_BREAK = re.compile(f"(?<=[{_UNSPACED}])\n(?=[{_UNSPACED}])")
_IN_ADDRESS = re.compile(r"(?:://|(?<!\S)www\.|(?<!\S)/)\S*[/._=&?]$|(?<!\S)\S+/\S+/\S*[/_=&?]$")
"""a line that ends inside an address or path, where those are broken without a hyphen"""


@dataclass(frozen=True)
class Extracted:
    """What a PDF says."""

    title: str
    text: str
    spans: list[pagemap.Span]
    """characters of each page (`regrow.data.pdf.pagemap`)"""
    pages: int
    """of the file"""
    read: int
    """of them were read: the params set a limit"""
    scanned: list[int]
    """pages of pictures without text"""
    recognised: list[int]
    """scanned or unmapped pages whose text came from OCR"""
    broken: list[int]
    """pages that cannot be read"""
    unmapped: list[int]
    """pages whose fonts do not say which characters they show"""
    running: int
    """headers, footers, stamps and numbers of lines that were left out"""


class ScannedError(PdfError):
    """A PDF whose pages are pictures; `pages` of them are scanned."""

    def __init__(self, reason: str, detail: str, pages: int) -> None:
        super().__init__(reason, detail)
        self.pages = pages


def extract(
    body: bytes, max_pages: int, ocr: Mapping[int, str] | None = None, ocr_pages: int = 0
) -> Extracted:
    """The text of a PDF.

    Args:
        max_pages: pages after so many are left out.
        ocr: page, from 1 -> text that OCR read on it, for scanned and unmapped pages. Pages with text keep their own.
        ocr_pages: pages of the file that OCR read, 0 where it does not say; where it is another number, `ocr` is not used.

    Raises:
        ScannedError: too little text, and pictures of pages.
        PdfError: encrypted_pdf, broken_pdf, unmapped_fonts, or empty: neither text nor pictures.
        regrow.data.web.cost.TooCostlyError: it has far more to read than its length says.
    """
    with opened(body, max_pages) as document:
        count = len(document)
        ocr = ocr if ocr and ocr_pages in (0, count) else {}
        pages = _read(document, min(count, max_pages))
        title = " ".join((document.get_metadata_value("Title") or "").split())
    lines = _running(pages)
    stamps = _stamps(pages)
    made: list[list[list[Paragraph]]] = []
    scanned: list[int] = []
    unmapped: list[int] = []
    recognised, left_out = [], 0
    for one, out in zip(pages, lines, strict=True):
        frames, dropped = _frames(one, out, stamps)
        left_out += dropped + one.numbered
        empty = sum(len(s.text) for frame in frames for s in frame) < FEW
        if one.unmapped or (one.pictured and empty):
            (unmapped if one.unmapped else scanned).append(one.number)
            found = _recognised(one.number, ocr.get(one.number, ""))
            recognised += [one.number] if found else []
            made.append([found, []])
        else:
            made.append(paragraphs.of_page(one.number, frames))
    text, spans = _text(paragraphs.in_order(made))
    broken = [one.number for one in pages if one.broken]
    _check(text, pages, scanned, broken, unmapped)
    return Extracted(
        tidy(title), text, spans, count, len(pages), scanned, recognised, broken, unmapped, left_out
    )


def _read(document: pdfium.PdfDocument, count: int) -> list[Page]:
    found: list[Page] = []
    characters = 0
    for number in range(1, count + 1):
        one = page.read(document, number)
        characters += sum(len(s.text) for frame in (one.main, *one.others) for s in frame)
        if characters > MAX_CHARACTERS:
            raise TooCostlyError(
                "too_costly", characters, MAX_CHARACTERS, "characters of all pages"
            )
        found.append(one)
    return found


def _running(pages: Sequence[Page]) -> list[frozenset[int]]:
    """Places of running lines, by page; none where nothing but such lines would be left of a PDF without pictures."""
    found = running([one.rows for one in pages])
    left = sum(
        len(row.text)
        for one, out in zip(pages, found, strict=True)
        for at, row in enumerate(one.rows)
        if at not in out
    )
    if left < FEW and not any(one.pictured for one in pages):
        return [frozenset() for _ in pages]
    return found


def _stamps(pages: Sequence[Page]) -> frozenset[str]:
    """Texts at another angle than their page's, on several pages."""
    times = Counter(
        text for one in pages for text in {s.text for frame in one.others for s in frame}
    )
    return frozenset(text for text, count in times.items() if count >= _STAMPS)


def _frames(
    one: Page, out: frozenset[int], stamps: frozenset[str]
) -> tuple[list[list[Segment]], int]:
    """The segments of a page that are no running lines, by frame; how many lines are left out."""
    gone = {id(s) for at in out for s in one.rows[at].segments}
    main = [s for s in one.main if id(s) not in gone]
    others = [[s for s in frame if s.text not in stamps] for frame in one.others]
    dropped = sum(len(frame) for frame in one.others) - sum(map(len, others))
    return [main, *(frame for frame in others if frame)], len(out) + dropped


def _recognised(number: int, text: str) -> list[Paragraph]:
    lines = tidy(text).split("\n") if text.strip() else []
    return [Paragraph("lines", lines, [(number, len(lines))])] if lines else []


def _text(found: Sequence[Paragraph]) -> tuple[str, list[pagemap.Span]]:
    prose = iter(joined([_lines(one.lines) for one in found if one.kind == "text"]))
    parts: list[str] = []
    pages: list[tuple[int, int]] = []
    for one in found:
        if one.kind == "text":
            written = _UNSPACED_BREAK.sub("", next(prose)).replace("\n", " ")
        else:
            written = "\n".join(one.lines)
        if not written.strip():
            continue
        parts += ["\n\n" if one.apart else "\n"] * bool(parts) + [written]
        at = 0
        for number, count in one.pages:
            size = pagemap.solid("".join(one.lines[at : at + count]))
            if pages and pages[-1][0] == number:
                size += pages.pop()[1]
            pages.append((number, size))
            at += count
    text = tidy("".join(parts))
    return text, pagemap.spans(text, pages)


def _lines(lines: Sequence[str]) -> str:
    """Lines with a break between them; none inside an address."""
    parts = [line if _IN_ADDRESS.search(line) else f"{line}\n" for line in lines]
    return "".join(parts).rstrip("\n")


def _check(
    text: str,
    pages: Sequence[Page],
    scanned: Sequence[int],
    broken: Sequence[int],
    unmapped: Sequence[int],
) -> None:
    size = pagemap.solid(text)
    if size >= FEW:
        return
    said = f"{len(pages)} pages, {len(scanned)} scanned, {size} characters"
    if len(unmapped) > len(scanned):
        raise PdfError("unmapped_fonts", f"{said}, {len(unmapped)} in unmapped fonts")
    if scanned:
        raise ScannedError("scanned", said, len(scanned))
    if broken:
        raise PdfError("broken_pdf", f"{said}, {len(broken)} broken")
    raise PdfError("empty", said)
