"""Label the main text of 200 pages: by rules for each site, whose result was read for a part of them.

    python benchmarks/contest/main_labels.py WARC_FOLDER  # writes tests/data/main_text/pages.jsonl.xz

The folder is the one that `benchmarks/datatrove.py` makes. A rule names the element that holds a page's text, and what inside
it is no text: navigation, tables of contents, links to the next page, permalinks, search, notices of the site. Headings,
lists, tables, code, footnotes and signatures are text.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

from lxml import etree
from lxml import html as markup

from regrow.data.text.archive import Trouble, read
from regrow.data.web import charset

OUT = Path(__file__).resolve().parents[2] / "tests/data/main_text/pages.jsonl.xz"
MOST_BYTES = 70_000
LEAST_CHARACTERS = 200
LISTS = ("/contents.html", "/sitemap.html", "/genindex.html", "/py-modindex.html")
"""pages that are nothing but links"""
_SPHINX = "//*[@class='headerlink' or contains(@class,'toctree-wrapper') or contains(@class,'contents')] | //nav | //*[@class='viewcode-link']"
_DOCBOOK = "//*[@class='navheader' or @class='navfooter' or @class='toc'] | //a[@id='top'] | //ul[contains(@class,'docnav')]"
SITES: dict[str, tuple[int, str, str]] = {
    "alembic.example": (10, "//article", f"{_SPHINX} | //*[contains(@class,'prev-next')]"),
    "apache2-doc": (
        30, "//*[@id='page-content']",
        "//*[@class='toplang' or @class='top' or @class='up' or @id='quickview' or @class='bottomlang' or @id='comments_section']",
    ),
    "debian-faq-de": (6, "//body", _DOCBOOK),
    "debian-faq-fr": (6, "//body", _DOCBOOK),
    "debian-faq-ja": (6, "//body", _DOCBOOK),
    "debian-handbook": (30, "//body", f"{_DOCBOOK} | //*[@id='banner'] | //p[@id='title'] | //*[@class='toc']"),
    "debian.example": (24, "//div[@role='main'] | //body[not(.//div[@role='main'])]", f"{_DOCBOOK} | {_SPHINX}"),
    "git-doc": (16, "//body", "//*[@id='footer' or @id='toc']"),
    "lxml.example": (
        14, "//div[@role='main'] | //div[@class='document'][not(@role)]",
        f"{_SPHINX} | //*[@id='sidemenu' or @class='menutrigger' or @class='banner' or @class='footer']",
    ),
    "mako.example": (6, "//*[@id='docs-body']", _SPHINX),
    "postgresql-doc-15": (30, "//body", _DOCBOOK),
    "roundup.example": (12, "//main", f"{_SPHINX} | //*[contains(@class,'related')]"),
    "sphinx-doc": (14, "//div[@role='main']", f"{_SPHINX}"),
    "sqlalchemy.example": (16, "//*[@id='docs-body']", _SPHINX),
}  # fmt: skip
"""archive -> pages, where the text is, what in it is none"""
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "li",
        "dt",
        "dd",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "table",
        "ul",
        "ol",
        "dl",
        "pre",
        "section",
        "article",
        "blockquote",
        "br",
        "hr",
        "body",
        "td",
        "th",
    ]
)


def main_text(page: str, where: str, but: str) -> str:
    """The text that a site's rule names; "" where the rule finds nothing."""
    tree = markup.fromstring(page)
    etree.strip_elements(tree, "script", "style", "head", etree.Comment, with_tail=False)
    for one in tree.xpath(but):
        if one.getparent() is not None:
            one.drop_tree()
    found = tree.xpath(where)
    if not found:
        return ""
    parts: list[str] = []

    def walk(element: markup.HtmlElement) -> None:
        block = element.tag in _BLOCKS
        parts.append("\n" if block else "")
        parts.append(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                walk(child)
            parts.append(child.tail or "")
        parts.append("\n" if block else "")

    walk(found[0])
    lines = (" ".join(line.split()) for line in "".join(parts).splitlines())
    return "\n".join(line for line in lines if line)


def labelled(folder: Path) -> list[dict[str, str]]:
    """Pages of all sites with their labels; evenly spaced among those that are not too large."""
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for site, (most, where, but) in SITES.items():
        pages: list[dict[str, str]] = []
        for record in read(folder / f"{site}.warc.gz", MOST_BYTES):
            if isinstance(record, Trouble) or record.oversize:
                continue
            decoded = charset.decode(record.body, "", 0.01)
            if decoded is None or not decoded.text.strip():
                continue
            page = (
                decoded.text.partition("?>")[2]
                if decoded.text.startswith("<?xml")
                else decoded.text
            )
            text = main_text(page, where, but)
            if record.url.endswith(LISTS) or text in seen:
                continue
            seen.add(text)
            if len(text) >= LEAST_CHARACTERS:
                pages.append({"site": site, "url": record.url, "html": page, "main": text})
        pages.sort(key=lambda row: row["url"])
        step = max(1.0, len(pages) / most)
        rows += [pages[int(at * step)] for at in range(min(most, len(pages)))]
    return rows


if __name__ == "__main__":
    found = labelled(Path(sys.argv[1]))
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found).encode()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    print(len(found), "pages,", OUT.stat().st_size, "bytes")
