"""PDF files with text at given places, for tests of layout: Helvetica (F), Courier (C), a font with ligatures (L)."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from small_pdf import pdf, stream

FONTS = (
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding<</Type/Encoding/BaseEncoding/WinAnsiEncoding"
    b"/Differences[1/fi/fl]>>>>",
)
PICTURE = stream(b"\x7f", b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8")  # fmt: skip
ABOUT = (
    "The keeper of the light wrote down each ship that passed, with its flag and the hour, and on quiet nights he "
    "added what the gulls had done. Nobody had asked him for this. His lists went to the harbour once in a month, "
    "where a clerk put them on a shelf beside those of other towers and forgot them until the roof leaked."
)
RIVER = (
    "A river that is slow in summer moves stones in spring. Whoever builds on its banks learns to read the height of "
    "the reeds, the colour of foam and the age of driftwood. Maps say little about such things, and what they say was "
    "true only in the year in which they were drawn by people who had come for one afternoon."
)
HILLS = (
    "Shepherds count in a language of their own, older than the walls between the fields. They walk before dawn, when "
    "frost still shows where animals have slept, and they know from the sound of a bell how far it is. Visitors hear "
    "nothing but wind, and write in their letters that the place is empty."
)


@dataclass
class Sheet:
    """A page; places in points from its lower left corner."""

    width: int = 612
    height: int = 792
    rotate: int = 0
    shown: list[bytes] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, size: float = 10, font: str = "F", turn: int = 0) -> Sheet:  # fmt: skip
        """A line; `turn`: degrees, a multiple of 90."""
        a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
        data = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")  # fmt: skip
        self.shown.append(b"BT /%s %g Tf %d %d %d %d %g %g Tm (%s) Tj ET" % (font.encode(), size, a, b, -b, a, x, y, data))  # fmt: skip
        return self

    def lines(self, x: float, y: float, lines: list[str], size: float = 10, leading: float = 12, font: str = "F") -> Sheet:  # fmt: skip
        """Lines below each other."""
        for number, line in enumerate(lines):
            self.text(x, y - number * leading, line, size, font)
        return self

    def picture(self, x: float = 0, y: float = 0, width: float = 612, height: float = 792) -> Sheet:
        """A grey box."""
        self.shown.append(b"q %g 0 0 %g %g %g cm /I Do Q" % (width, height, x, y))
        return self


def wrapped(text: str, characters: int = 40) -> list[str]:
    """A paragraph in lines."""
    return textwrap.wrap(text, characters)


def document(*sheets: Sheet, title: str = "") -> bytes:
    """A PDF of these pages."""
    count = len(sheets)
    fonts = 3
    first = fonts + len(FONTS) + 1
    resources = b"/Resources<</Font<</F %d 0 R/C %d 0 R/L %d 0 R>>/XObject<</I %d 0 R>>>>" % (
        *range(fonts, fonts + 3), fonts + len(FONTS),
    )  # fmt: skip
    pages, contents = [], []
    for number, sheet in enumerate(sheets):
        content = first + count + number
        pages.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Rotate %d/Contents %d 0 R%s>>"
            % (sheet.width, sheet.height, sheet.rotate, content, resources)
        )
        contents.append(stream(b"\n".join(sheet.shown), packed=True))
    kids = b" ".join(b"%d 0 R" % (first + number) for number in range(count))
    made = pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count),
        *FONTS, PICTURE, *pages, *contents, *([b"<</Title(%s)>>" % title.encode()] if title else []),
    )  # fmt: skip
    if title:
        made = made.replace(b"/Root 1 0 R", b"/Root 1 0 R/Info %d 0 R" % (first + 2 * count))
    return made
