"""PDF files for tests, written object by object, so that they can be wrong or costly on purpose."""

from __future__ import annotations

import zlib


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(out),
    )
    return out + head + table + end


def stream(data: bytes, entries: bytes = b"", packed: bool = False) -> bytes:
    """A stream object."""
    if packed:
        data, entries = zlib.compress(data, 9), entries + b"/Filter/FlateDecode"
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def page(content: bytes, *more: bytes, resources: bytes = b"", packed: bool = False) -> bytes:
    """A PDF of one page; `more` are objects from number 6 on."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>%s>>>>"
        % resources,
        stream(content, packed=packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        *more,
    )


def lines(*texts: str) -> bytes:
    """A page with a line for each text."""
    shown = "".join(
        f"BT /F 12 Tf 72 {720 - 14 * n} Td ({text.replace('(', '').replace(')', '')}) Tj ET\n"
        for n, text in enumerate(texts)
    )
    return page(shown.encode("cp1252"))
