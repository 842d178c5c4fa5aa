"""HTML to text: the main content of a page, without menus and boilerplate."""

from __future__ import annotations

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from regrow.data.web import cost

_PILCROW = re.compile(r"¶(?=\s|$)")
# What no text has: left in, the parser would end a name at a NUL or show a box for it.
_CONTROLS = bytes([*range(0x00, 0x09), 0x0B, *range(0x0E, 0x20)])


def extract(html: str, extractor: str) -> tuple[str, str]:
    """(title, main text) of a page.

    `extractor` is "resiliparse" (as Olmo 3 used) or "trafilatura" (slower; drops more).

    Raises:
        regrow.data.web.cost.TooCostlyError: the page would take a parser far longer than its length says.
    """
    html = _printed(html)
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
    return " ".join(_unlinked(title).split()), _unlinked(text)


def _printed(html: str) -> str:
    data = html.encode("utf-8", "surrogatepass")
    left = data.translate(None, _CONTROLS)
    return html if len(left) == len(data) else left.decode("utf-8", "surrogatepass")


def _unlinked(text: str) -> str:
    """Without pilcrows at the end of a line or before a space, and a space or tab before each."""
    if "¶" not in text:
        return text
    parts = _PILCROW.split(text)
    return "".join(
        [*(part[:-1] if part[-1:] in (" ", "\t") else part for part in parts[:-1]), parts[-1]]
    )


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
