"""A page as its parser leaves it: segments, and whether it looks like a scan. Nothing of pdfium is held."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from regrow.data.pdf.numbers import in_margin
from regrow.data.pdf.rows import Row, rows
from regrow.data.pdf.segments import Segment, segments

FEW = 20
"""characters; a page of pictures with fewer is scanned"""
_STAMPED = 200
"""characters that a scanned page may have: its number, where it was downloaded from"""
_COVERED = 0.5
"""share of a page that pictures cover"""
_OBJECTS = 2_000
"""of a page are looked at for pictures"""
_FORMS = 3
"""levels of forms in which pictures are looked for"""


@dataclass(frozen=True)
class Page:
    """What is on a page."""

    number: int
    """from 1"""
    main: tuple[Segment, ...]
    """those whose text runs as most of the page's does"""
    rows: tuple[Row, ...]
    """the same as lines, from top to bottom, over all columns"""
    others: tuple[tuple[Segment, ...], ...]
    """those at other angles, each angle by itself"""
    pictured: bool
    """little text, and pictures that cover it"""
    numbered: int = 0
    """numbers of lines in its margins, which are left out"""
    broken: bool = False
    unmapped: bool = False
    """its fonts do not say which characters they show; its text is left out"""


def read(document: pdfium.PdfDocument, number: int) -> Page:
    """The page of this number, from 1; an empty one where it is broken.

    Raises:
        TooCostlyError: it has too many characters.
    """
    try:
        page = document[number - 1]
    except pdfium.PdfiumError:
        return Page(number, (), (), (), pictured=False, broken=True)
    try:
        found, known = segments(page)
        few = sum(len(one.text) for one in found) < _STAMPED
        pictured = few and _covered(page) >= _COVERED
    finally:
        page.close()
    if not known:
        return Page(number, (), (), (), pictured=False, unmapped=True)
    turns: Counter[int] = Counter()
    for one in found:
        turns[one.turn] += len(one.text)
    order = sorted(turns, key=lambda turn: (-turns[turn], turn))
    frames = [tuple(one for one in found if one.turn == turn) for turn in order]
    main = frames[0] if frames else ()
    numbers = in_margin(main)
    main = tuple(one for one in main if id(one) not in numbers)
    return Page(number, main, tuple(rows(main)), tuple(frames[1:]), pictured, len(numbers))


def _covered(page: pdfium.PdfPage) -> float:
    """The share of a page that pictures cover, strips of one added up."""
    left, bottom, right, top = page.get_bbox()
    whole = max(1.0, (right - left) * (top - bottom))
    area = 0.0
    kinds = [raw.FPDF_PAGEOBJ_IMAGE]
    for count, item in enumerate(page.get_objects(filter=kinds, max_depth=_FORMS)):
        if count >= _OBJECTS:
            break
        try:
            box = item.get_bounds()
        except pdfium.PdfiumError:
            continue
        wide = min(box[2], right) - max(box[0], left)
        high = min(box[3], top) - max(box[1], bottom)
        area += max(0.0, wide) * max(0.0, high)
    return area / whole
