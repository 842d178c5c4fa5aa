"""A page whose fonts do not say which characters they show gives no text, unless OCR read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from layout_pdf import ABOUT, RIVER, wrapped
from regrow.data.pdf.client import Client
from regrow.data.pdf.extract import Extracted, extract
from regrow.data.text.document import Document, Dropped
from regrow.data.text.pdf import PdfError
from regrow.data.text.record import Record
from regrow.params.sources import Text
from small_pdf import pdf, stream

RUSSIAN = (
    "Дистрибутив, который собирают добровольцы со всего света, первый из больших дистрибутивов."
)
READ = "What OCR read on this page of the old book."
GLYPH = stream(b"500 0 0 0 500 700 d1 0 0 500 700 re f")


def _font(named: bool) -> bytes:
    """A font of bitmaps in the codes of cp1251, as TeX makes them; `named`: it says which characters they are."""
    codes = range(32, 256)
    drawn = b" ".join(b"/g%d %d 0 R" % (code, 6) for code in codes)
    differences = b" ".join(b"/g%d" % code for code in codes)
    unicode = b"/ToUnicode 7 0 R" if named else b""
    return (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 500 700]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 32/LastChar 255"
        b"/Widths[%s]/CharProcs<<%s>>/Encoding<</Type/Encoding/Differences[32 %s]>>%s>>"
        % (b"500 " * 224, drawn, differences, unicode)
    )


def _map() -> bytes:
    rows = b"".join(
        b"<%02X><%04X>" % (code, ord(bytes([code]).decode("cp1251", "replace")[:1])) for code in range(192, 256)
    )  # fmt: skip
    ascii_ = b"".join(b"<%02X><%04X>" % (code, code) for code in range(32, 127))
    return stream(
        b"/CIDInit/ProcSet findresource begin begincmap 1 begincodespacerange<00><FF>endcodespacerange "
        b"95 beginbfchar %sendbfchar 64 beginbfchar %sendbfchar endcmap" % (ascii_, rows)
    )


def _book(*pages: str, named: bool = False) -> bytes:
    """A PDF with a page for each text, in such a font."""
    first, count = 9, len(pages)
    shown = []
    for text in pages:
        lines = [line.encode("cp1251").replace(b"(", b"\\(") for line in wrapped(text, 60)]
        shown.append(b"\n".join(b"BT /T 10 Tf 72 %d Td (%s) Tj ET" % (700 - 12 * n, line) for n, line in enumerate(lines)))  # fmt: skip
    sheets = [
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</Font<</T 5 0 R>>>>>>"
        % (first + count + number)
        for number in range(count)
    ]
    kids = b" ".join(b"%d 0 R" % (first + number) for number in range(count))
    unused = b"<<>>"
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), unused, unused,
        _font(named), GLYPH, _map(), unused, *sheets, *(stream(data, packed=True) for data in shown),
    )  # fmt: skip


def _words(found: Extracted) -> str:
    return " ".join(found.text.split())  # lines of one width stay lines


def test_letters_that_no_font_names_are_no_text():
    with pytest.raises(PdfError, match="2 in unmapped fonts") as caught:
        extract(_book(RUSSIAN, RUSSIAN), 9)
    assert caught.value.reason == "unmapped_fonts"


def test_a_font_that_names_them_is_read():
    found = extract(_book(RUSSIAN, named=True), 9)
    assert _words(found) == RUSSIAN and found.unmapped == []


def test_english_in_such_a_font_is_read():
    found = extract(_book(ABOUT), 9)
    assert _words(found) == ABOUT and found.unmapped == []


def test_a_few_signs_do_not_make_a_page_unmapped():
    assert extract(_book(f"{ABOUT} Дом."), 9).unmapped == []


def test_other_pages_are_kept_and_ocr_fills_the_page():
    book = _book(ABOUT, RUSSIAN, RIVER)
    found = extract(book, 9)
    assert (_words(found), found.unmapped, found.scanned) == (f"{ABOUT} {RIVER}", [2], [])
    assert [page for _, _, page in found.spans] == [1, 3]
    filled = extract(book, 9, {2: READ}, 3)
    assert _words(filled) == f"{ABOUT} {READ} {RIVER}" and filled.recognised == [2]


def _received(client: Client, body: bytes) -> Document | Dropped:
    client.send(Record("source://x/a.pdf", "resource", "", 200, {"content-type": "application/pdf"}, body, "", 0, False))  # fmt: skip
    return client.receive()


def test_they_are_counted_apart_from_scans(tmp_path: Path):
    with Client(Text()) as client:
        dropped = _received(client, _book(RUSSIAN))
        kept = _received(client, _book(ABOUT, RUSSIAN))
    assert isinstance(dropped, Dropped) and dropped.reason == "unmapped_fonts"
    assert isinstance(kept, Document) and client.metadata["unmapped_pages"] == "[2]"
    assert (client.counts["unmapped_files"], client.counts["unmapped_pages"]) == (1, 1)
    assert client.counts["scanned_files"] == client.counts["partly_scanned_files"] == 0
