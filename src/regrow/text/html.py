"""HTML to text: the main content of a page, without menus and boilerplate."""

from __future__ import annotations

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

MAX_DEPTH = 2_000
"""elements inside each other; deeper pages are broken or hostile, and parsers recurse"""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
     "p", "li", "dt", "dd", "tr", "td", "th", "option"}
)  # fmt: skip
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
    # Sphinx puts a pilcrow link behind every heading.
    return " ".join(_PILCROW.sub("", title).split()), _PILCROW.sub("", text)


def _check_depth(html: str) -> None:
    if html.count("<") <= MAX_DEPTH:
        return
    depth = 0
    for match in _TAG.finditer(html):
        if match[3] or match[2].lower() in _VOID:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > MAX_DEPTH:
            raise DeepNestingError(f"more than {MAX_DEPTH} elements inside each other")
