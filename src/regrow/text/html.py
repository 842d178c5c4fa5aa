"""HTML to text: the main content of a page, without menus and boilerplate."""

from __future__ import annotations

import re
from itertools import accumulate

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

MAX_DEPTH = 2_000
"""elements inside each other; deeper pages are broken or hostile, and parsers recurse"""

# Elements whose nesting costs resiliparse time in the square of the depth (measured: 20,000 nested
# div take 23 s); inline elements and tables do not.
_BLOCK = re.compile(
    r"<(/?)(?:div|section|article|main|aside|header|footer|nav|form|fieldset|figure|center|ul|ol|dl)\b",
    re.IGNORECASE,
)
_PILCROW = re.compile(r"[ \t]?¶(?=\s|$)")


class DeepNestingError(Exception):
    """The page nests more than `MAX_DEPTH` elements; the message says how deep it got."""


def extract(html: str, extractor: str) -> tuple[str, str]:
    """(title, main text) of a page.

    `extractor` is "resiliparse" (as Olmo 3 used) or "trafilatura" (slower; drops more).

    Raises:
        DeepNestingError: more than MAX_DEPTH elements inside each other.
    """
    _check_depth(html)
    if extractor == "trafilatura":
        import trafilatura

        title = HTMLTree.parse(html).title or ""
        text = (
            trafilatura.extract(html, include_comments=False, include_tables=True, fast=True) or ""
        )
    else:
        tree = HTMLTree.parse(html)
        title = tree.title or ""
        text = extract_plain_text(
            tree, preserve_formatting=True, main_content=True, alt_texts=False
        )
        text = text if text.strip() else _landmark(html)
    # Sphinx puts a pilcrow link behind every heading.
    return " ".join(_PILCROW.sub("", title).split()), _PILCROW.sub("", text)


def _landmark(html: str) -> str:
    """All text of the page's own main element, where the heuristics found nothing.

    They go by class names and sometimes call the whole page boilerplate ("orm_related_objects").
    """
    tree = HTMLTree.parse(html)  # anew: extraction takes elements out of the tree
    for selector in ("[role=main]", "main", "article"):
        element = tree.body.query_selector(selector) if tree.body else None
        if element is not None:
            return extract_plain_text(element.html, preserve_formatting=True, alt_texts=False)
    return ""


def _check_depth(html: str) -> None:
    if html.count("<") <= MAX_DEPTH:
        return
    steps = accumulate(-1 if slash else 1 for slash in _BLOCK.findall(html))
    if max(steps, default=0) > MAX_DEPTH:
        raise DeepNestingError(f"more than {MAX_DEPTH} elements inside each other")
