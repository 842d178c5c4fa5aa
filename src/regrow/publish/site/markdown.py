"""One page of Markdown as HTML, with the anchors that forges give to headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from regrow.evidence.errors import Unanswerable

COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading of a page."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Link:
    """A link as the page writes it, and whether it stands in a table."""

    target: str
    text: str
    section: str
    in_table: bool


class Page:
    """A page that was read: its headings, its links, and its HTML."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self._parser = _parser()
        self._tokens = self._parser.parse(source)
        self.headings = list(_headings(self._tokens))
        for token in _all(self._tokens):
            if (
                token.type in ("html_block", "html_inline")
                and COMMENT.sub("", token.content).strip()
            ):
                raise Unanswerable(
                    f"{name}: raw HTML ({token.content.strip()[:40]}). hint: write it as Markdown."
                )

    @property
    def title(self) -> str:
        """The text of the first heading, else the name."""
        return self.headings[0].text if self.headings else self.name

    def links(self) -> Iterator[Link]:
        """Every link and picture, in the order of the page."""
        section, depth, headings = "", 0, iter(self.headings)
        for token in self._tokens:
            depth += {"table_open": 1, "table_close": -1}.get(token.type, 0)
            if token.type == "heading_open":
                heading = next(headings)
                section = heading.text if heading.level == 2 else section
            open_link: Token | None = None
            text = ""
            for child in token.children or ():
                if child.type == "image":
                    yield Link(str(child.attrGet("src")), child.content, section, depth > 0)
                elif child.type == "link_open":
                    open_link, text = child, ""
                elif child.type == "link_close" and open_link:
                    yield Link(str(open_link.attrGet("href")), text, section, depth > 0)
                    open_link = None
                else:
                    text += child.content

    def html(self, moved: Callable[[str], str]) -> str:
        """The page's HTML; `moved` says where a target of it is in the site."""
        for token in _all(self._tokens):
            for name in ("href", "src"):
                if (target := token.attrGet(name)) is not None:
                    token.attrSet(name, moved(str(target)))
        return str(self._parser.renderer.render(self._tokens, self._parser.options, {}))


def _parser() -> MarkdownIt:
    """CommonMark with tables. Tables scroll by themselves, comments go, headings and pictures are links."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")

    def table_open(_: Any, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        return '<div class="scroll" tabindex="0"><table>\n'

    def table_close(_: Any, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        return "</table></div>\n"

    def comment(_: Any, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        return ""

    def heading_close(_: Any, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        opened = next(t for t in reversed(tokens[:place]) if t.type == "heading_open")
        anchor = escape(str(opened.attrGet("id")), quote=True)
        mark = f' <a class="anchor" href="#{anchor}" aria-label="Link to this heading">#</a>'
        return f"{mark if opened.tag != 'h1' else ''}</{opened.tag}>\n"

    def image(renderer: Any, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        drawn = str(renderer.image(tokens, place, *rest))
        if any(token.type == "link_open" for token in tokens[:place]):
            return drawn  # it may be inside a link already
        source = escape(str(tokens[place].attrGet("src")), quote=True)
        return f'<a href="{source}">{drawn}</a>'  # a phone shows it large

    for name, rule in {
        "table_open": table_open,
        "table_close": table_close,
        "html_block": comment,
        "html_inline": comment,
        "heading_close": heading_close,
        "image": image,
    }.items():
        parser.add_render_rule(name, rule)
    return parser


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    """The headings, each of which gets its anchor."""
    taken: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        inline = tokens[place + 1]
        text = "".join(
            t.content for t in inline.children or () if t.type in ("text", "code_inline")
        )
        anchor = unique(slug(text), taken)
        taken.add(anchor)
        token.attrSet("id", anchor)
        yield Heading(int(token.tag[1]), text, anchor)


def slug(title: str) -> str:
    """The anchor of a heading as forges make it: lower case, no punctuation, - for spaces."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def unique(anchor: str, taken: set[str]) -> str:
    """The anchor, numbered where a heading above has it."""
    number, found = 0, anchor
    while found in taken:
        number += 1
        found = f"{anchor}-{number}"
    return found
