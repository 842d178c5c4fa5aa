"""Blocks of pages to paragraphs: those that go on in the next column or page are one, and notes do not part them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from regrow.data.pdf.blocks import Block, Kind, blocks
from regrow.data.pdf.order import regions
from regrow.data.pdf.rows import rows
from regrow.data.pdf.segments import Segment
from regrow.data.pdf.spelling import HYPHEN

_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3}) ?[^\W\d]")
_SMALLER = 0.93
"""size of a note by that of the text"""
_ENDED = re.compile(r"[.!?:;。！？：；][\"'”’»)\]]*$")
_BULLET = re.compile(r"[•‣◦▪–—*·-] |\(?(?:\d{1,3}|[a-zA-Z])[.)] ")


@dataclass
class Paragraph:
    """Lines that become one piece of the text, and where they stand."""

    kind: Kind
    lines: list[str]
    pages: list[tuple[int, int]] = field(default_factory=list)
    """(page, how many of the lines)"""
    size: float = 0.0
    full: bool = False
    apart: bool = True
    indented: bool = False


def of_page(number: int, frames: Sequence[Sequence[Segment]]) -> list[list[Paragraph]]:
    """The paragraphs of a page: of its text, and of its notes.

    Args:
        frames: segments without running lines; first those of the main text, then those at other angles.
    """
    text: list[Paragraph] = []
    notes: list[Paragraph] = []
    usual = _size(frames[0]) if frames else 0.0
    for frame in frames:
        for region in regions(frame):
            found = blocks(rows(region))
            at = _notes_from(found, usual)
            _extend(text, [_paragraph(number, block) for block in found[:at]])
            _extend(notes, [_paragraph(number, block) for block in found[at:]])
    return [text, notes]


def in_order(pages: Sequence[Sequence[list[Paragraph]]]) -> list[Paragraph]:
    """The paragraphs of all pages.

    Where the last one of a page goes on behind it, the page's notes come before that paragraph.
    """
    found: list[Paragraph] = []
    for at, (text, notes) in enumerate(pages):
        following = next((own[0][0] for own in pages[at + 1 :] if own[0]), None)
        if notes and text and following is not None and goes_on(text[-1], following):
            if len(text) > 1:
                _extend(found, text[:-1])
                found += [*notes, text[-1]]
            else:  # it may go on from the page before as well
                _extend(found, text)
                found[-1:-1] = notes if len(found[-1].pages) == 1 else []
                found += notes if len(found[-1].pages) > 1 else []
        else:
            _extend(found, text)
            found += notes
    return found


def _extend(found: list[Paragraph], more: Sequence[Paragraph]) -> None:
    """Append paragraphs, of which the first may go on with the last one."""
    for place, one in enumerate(more):
        if place == 0 and found and goes_on(found[-1], one):
            last = found[-1]
            found[-1] = replace(
                last, lines=last.lines + one.lines, pages=last.pages + one.pages, full=one.full
            )
        else:
            found.append(one)


def goes_on(last: Paragraph, first: Paragraph) -> bool:
    """Whether a paragraph at the end of a column or page goes on with the first one of the next."""
    if last.kind != "text" or first.kind != "text":
        return False
    if max(last.size, first.size) > 1.1 * min(last.size, first.size):
        return False
    end, begin = last.lines[-1], first.lines[0]
    if not begin or _BULLET.match(begin):
        return False
    if end.endswith(HYPHEN):
        return True
    if _ENDED.search(end):
        return False
    if begin[0].islower():
        return True
    long = len(last.lines) > 1 and last.full and not first.indented
    return long and begin[0].isalnum() and (end[-1].isalnum() or end[-1] in ",，、")


def _paragraph(number: int, block: Block) -> Paragraph:
    return Paragraph(
        kind=block.kind, lines=list(block.lines), pages=[(number, len(block.lines))], size=block.size,
        full=block.full, apart=block.apart, indented=block.indented,
    )  # fmt: skip


def _notes_from(found: Sequence[Block], usual: float) -> int:
    """Where the notes of a region begin: smaller blocks at its end, of which the first has a note's mark."""
    at = len(found)
    begin = at
    while at and found[at - 1].size <= _SMALLER * usual and found[at - 1].kind == "text":
        at -= 1
        if _NOTE.match(found[at].lines[0]):
            begin = at
    return begin if begin else len(found)  # a region of notes alone is text


def _size(frame: Sequence[Segment]) -> float:
    """The size that most characters of a page have."""
    by_size: dict[float, int] = {}
    for one in frame:
        by_size[one.size] = by_size.get(one.size, 0) + len(one.text)
    return max(by_size, key=lambda size: (by_size[size], size), default=0.0)
