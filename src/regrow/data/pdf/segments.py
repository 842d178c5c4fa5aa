"""Characters of a page to segments: pieces of a line that the file draws without a wide gap.

All further layout works on segments, in a frame in which their text runs to the right: a page that is set sideways
is turned, and text at other angles (a mark along the margin, a stamp across the page) has a frame of its own.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from regrow.data.pdf.spelling import HYPHEN, clean, plain
from regrow.data.web.cost import TooCostlyError

MAX_PAGE_CHARACTERS = 200_000
"""a page of small print has 15,000"""
_GAP = 1.3
"""ems: a wider gap ends a segment; it may be a gutter between columns or cells"""
_SHIFT = 0.45
"""ems that a baseline may move inside a segment: superscripts and subscripts"""
_FIXED_PITCH = 1
"""bit of a font's flags (ISO 32000-1, table 123)"""
_MOSTLY = 0.8
"""share of a segment's characters"""
_UNMAPPED = 0.2
"""share of a page's letters that may be of unknown characters"""
_NARROW = frozenset("ijltfr")
"""letters that are narrower than others in any font but those of fixed pitch"""
_FARTHEST = 100_000.0
"""points; text farther out is on no page"""


@dataclass(frozen=True)
class Segment:
    """A piece of a line; lengths in points, y upwards, in the frame of its text."""

    text: str
    left: float
    right: float
    base: float
    """of the line, y"""
    size: float
    """of the font that most characters have"""
    fixed: bool
    """in a font of fixed pitch, by its flags or by its widths"""
    turn: int
    """whole degrees by which the text is turned on the page, anticlockwise"""

    @property
    def top(self) -> float:
        """Where its letters end, roughly."""
        return self.base + 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where its letters begin, roughly."""
        return self.base - 0.25 * self.size


def segments(page: pdfium.PdfPage) -> tuple[list[Segment], bool]:
    """The segments of a page in the order in which the file draws them, and whether its letters are known.

    They are not where more than a fifth of them are of fonts that do not say which characters they show (ISO 32000-1,
    9.10.2): the codes of old Cyrillic or Greek fonts come out as accented Latin letters. Codes of ASCII count as known,
    since such fonts for English have their letters there.

    Raises:
        TooCostlyError: more than `MAX_PAGE_CHARACTERS`.
    """
    words = page.get_textpage()
    try:
        count = raw.FPDFText_CountChars(words)
        if count > MAX_PAGE_CHARACTERS:
            raise TooCostlyError("too_costly", count, MAX_PAGE_CHARACTERS, "characters of a page")
        reader = _Reader(words, _bounds(page))
        found = reader.segments(count)
        return found, reader.unmapped <= _UNMAPPED * reader.letters
    finally:
        words.close()


def _bounds(page: pdfium.PdfPage) -> tuple[float, float, float, float]:
    box = page.get_bbox()
    left, bottom, right, top = (float(value) for value in box)
    return left - 1, bottom - 1, right + 1, top + 1


@dataclass(frozen=True)
class _Style:
    size: float
    turn: int
    fixed: bool


class _Reader:
    """Reads characters one by one; what text objects share is asked once for each."""

    def __init__(
        self, words: pdfium.PdfTextPage, bounds: tuple[float, float, float, float]
    ) -> None:
        self._words, self._bounds = words, bounds
        self._styles: dict[int, _Style] = {}
        self._made: list[Segment] = []
        self.letters = 0
        """characters that are seen"""
        self.unmapped = 0
        """those of them that no font says"""
        self._begin()

    def _begin(self) -> None:
        self._text: list[str] = []
        self._left = self._right = self._base = 0.0
        self._sizes: Counter[float] = Counter()
        self._bases: Counter[float] = Counter()
        self._fixed = 0
        self._widths: dict[str, float] = {}
        self._places: list[tuple[str, float, float]] = []
        self._style: _Style | None = None

    def segments(self, count: int) -> list[Segment]:
        box, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
        left, bottom, right, top = self._bounds
        for at in range(count):
            code = raw.FPDFText_GetUnicode(self._words, at)
            if code in (10, 13):
                self._end()
                continue
            if raw.FPDFText_IsGenerated(self._words, at) == 1 and code != 2:
                if code == 32 and self._text:
                    self._text.append(" ")
                continue
            if not raw.FPDFText_GetCharOrigin(self._words, at, x, y):
                continue
            if not (left <= x.value <= right and bottom <= y.value <= top):
                continue  # off the page; NaN as well
            raw.FPDFText_GetLooseCharBox(self._words, at, box)
            self.letters += code != 32
            if not 32 <= code < 127 and raw.FPDFText_HasUnicodeMapError(self._words, at) == 1:
                self.unmapped += 1
            self._add(code, self._style_of(at), (x.value, y.value), box)
        self._end()
        return self._made

    def _style_of(self, at: int) -> _Style:
        item = raw.FPDFText_GetTextObject(self._words, at)
        key = ctypes.cast(item, ctypes.c_void_p).value or 0
        found = self._styles.get(key)
        if found is None or not key:
            found = self._styles[key] = self._asked(at)
        return found

    def _asked(self, at: int) -> _Style:
        matrix, flags = raw.FS_MATRIX(), ctypes.c_int()
        size = raw.FPDFText_GetFontSize(self._words, at)
        turn = 0
        if raw.FPDFText_GetMatrix(self._words, at, matrix):
            size *= math.hypot(matrix.c, matrix.d)
            angle = math.degrees(math.atan2(matrix.b, matrix.a))
            turn = round(angle) % 360 if math.isfinite(angle) else 0
        turn = (
            next((right for right in (0, 90, 180, 270, 360) if abs(turn - right) <= 3), turn) % 360
        )
        raw.FPDFText_GetFontInfo(self._words, at, None, 0, flags)
        sound = math.isfinite(size) and 0.5 <= abs(size) <= 2_000
        return _Style(
            round(abs(size), 1) if sound else 10.0, turn, bool(flags.value & _FIXED_PITCH)
        )

    def _add(self, code: int, style: _Style, origin: tuple[float, float], box: Any) -> None:
        x, y = turned(*origin, style.turn)
        xs = [
            turned(box.left, box.bottom, style.turn)[0],
            turned(box.right, box.top, style.turn)[0],
        ]
        left, right = (min(xs), max(xs)) if style.turn % 90 == 0 else (x, x + 0.5 * style.size)
        if not (abs(left) < _FARTHEST and abs(right) < _FARTHEST and abs(y) < _FARTHEST):
            left, right = x, x + 0.5 * style.size
        if self._text and not self._follows(style, left, right, y):
            self._end()
        if not self._text:
            self._left, self._right, self._base, self._style = left, right, y, style
        letter = HYPHEN if code == 2 else clean(code)
        if not letter:
            return
        self._text.append(letter)
        self._left, self._right = min(self._left, left), max(self._right, right)
        if not letter.isspace():
            self._sizes[style.size] += 1
            self._bases[y] += style.size >= 0.8 * (self._style or style).size
            self._fixed += style.fixed
            self._places.append((letter, left, right))
            if letter.isascii():
                self._widths[letter] = (right - left) / style.size
        self._last = (left, right)

    def _follows(self, style: _Style, left: float, right: float, base: float) -> bool:
        """Whether a character continues the segment."""
        held = self._style
        if held is None or style.turn != held.turn:
            return False
        size = max(style.size, held.size)
        if abs(base - self._base) > _SHIFT * size or min(style.size, held.size) < 0.4 * size:
            return False
        ahead, behind = left - self._last[1], self._last[0] - right  # behind: right to left
        return max(ahead, behind) <= _GAP * size

    def _end(self) -> None:
        fixed = self._is_fixed()
        text = plain(self._typed() if fixed else "".join(self._text), fixed).strip(" ")
        if text and self._style is not None and self._sizes:
            size = max(self._sizes.items(), key=lambda item: (item[1], item[0]))[0]
            base = (
                max(self._bases.items(), key=lambda item: (item[1], -item[0]))[0]
                if self._bases
                else self._base
            )
            self._made.append(
                Segment(text, self._left, self._right, base, size, fixed, self._style.turn)
            )
        self._begin()

    def _typed(self) -> str:
        """The text in a font of fixed pitch, with as many spaces as there is room for: pdfium gives one."""
        widths = sorted(right - left for _, left, right in self._places)
        pitch = max(0.1, widths[len(widths) // 2]) if widths else 1.0
        line, before = "", None
        for letter, left, right in self._places:
            spaces = 0 if before is None else max(0, round((left - before) / pitch))
            line += " " * min(spaces, 9) + letter
            before = right
        return line

    def _is_fixed(self) -> bool:
        if self._fixed and self._fixed >= _MOSTLY * self._sizes.total():
            return True
        widths = self._widths.values()
        if len(widths) < 3 or max(widths) - min(widths) > 0.02 or not 0.4 < max(widths) < 0.8:
            return False
        letters = [letter for letter in self._widths if letter.isalpha()]
        return len(letters) > 7 or (len(letters) > 2 and not _NARROW.isdisjoint(letters))


def turned(x: float, y: float, degrees: int) -> tuple[float, float]:
    """A point of the page in the frame of text that is turned by so many degrees."""
    exact = {0: (1.0, 0.0), 90: (0.0, 1.0), 180: (-1.0, 0.0), 270: (0.0, -1.0)}
    cos, sin = exact.get(degrees) or (
        math.cos(math.radians(degrees)),
        math.sin(math.radians(degrees)),
    )
    return x * cos + y * sin, y * cos - x * sin
