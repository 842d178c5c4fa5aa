"""The page map of a document: which of its characters are of which page.

In the form that olmOCR writes (`attributes.pdf_page_numbers`): `[[begin, end, page], …]`, characters from 0, end not
included, pages from 1. Pages without text are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[int, int, int]


def solid(text: str) -> int:
    """How many characters there are that joining lines neither adds nor removes: no space, no hyphen."""
    return sum(map(_is_solid, text))


def _is_solid(letter: str) -> bool:
    return not letter.isspace() and letter not in "-\x02"


def spans(text: str, pages: Sequence[tuple[int, int]]) -> list[Span]:
    """The spans of the pages of a text.

    Args:
        pages: (page, its `solid` characters), in the order of the text.

    Returns:
        for each page with such characters the span that holds them. A span ends behind the last of its page, so that
        white space between two pages belongs to the later one, and spans cover the text from its first to its last
        character.

    Raises:
        ValueError: the counts do not add up to the text's.
    """
    ends = [at + 1 for at, letter in enumerate(text) if _is_solid(letter)]
    if len(ends) != sum(count for _, count in pages):
        raise ValueError(f"{len(ends)} characters, but {sum(c for _, c in pages)} on its pages")
    found: list[Span] = []
    begin = taken = 0
    for page, count in pages:
        if not count:
            continue
        taken += count
        end = ends[taken - 1]
        found.append((begin, end, page))
        begin = end
    if found:
        found[-1] = (found[-1][0], len(text), found[-1][2])
    return found


def pages_of(found: Sequence[Sequence[int]], begin: int, end: int) -> list[int]:
    """The pages that hold characters from `begin` up to `end`."""
    return [page for first, last, page in found if max(first, begin) < min(last, end)]
