"""HTML to text: the main content of a page, without menus and boilerplate."""

from __future__ import annotations

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from regrow.data.web import cost

_PILCROW = re.compile(r"[ \t]?¶(?=\s|$)")
# What no text has: left in, the parser would end a name at a NUL or show a box for it.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def extract(html: str, extractor: str) -> tuple[str, str]:
    """(title, main text) of a page.

    `extractor` is "resiliparse" (as Olmo 3 used) or "trafilatura" (slower; drops more).

    Raises:
        regrow.data.web.cost.TooCostlyError: the page would take a parser far longer than its length says.
    """
    html = _CONTROLS.sub("", html)
    cost.check(html)
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
