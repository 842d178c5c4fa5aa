"""Which pages the site has: the README, the documentation, and every page that they lead to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from regrow.evidence.errors import Unanswerable
from regrow.publish.site.markdown import Link, Page

HOME, INDEX = "README.md", "docs/README.md"
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")
"""a target with a scheme or a host is not ours"""


@dataclass(frozen=True)
class Tree:
    """Pages by their path in the repository, and the files that they show or offer."""

    pages: dict[str, Page]
    files: tuple[str, ...]


def read(root: Path) -> Tree:
    """All pages that can be reached.

    Raises:
        Unanswerable: a link leads nowhere, or a page cannot be read; every such link is named.
    """
    pages: dict[str, Page] = {}
    files: set[str] = set()
    broken: list[str] = []
    waiting = [HOME, INDEX]
    while waiting:
        name = waiting.pop(0)
        if name in pages:
            continue
        pages[name] = Page(name, (root / name).read_text(encoding="utf-8"))
        for link in pages[name].links():
            path = target(name, link.target)
            if path is None or path == name:
                continue
            if path.startswith("../") or not (root / path).is_file():
                broken.append(f"{name}: {link.target}: no such file")
            elif path.endswith(".md"):
                waiting.append(path)
            else:
                files.add(path)
    broken += [why for name in sorted(pages) for why in _anchors(pages, name)]
    if broken:
        raise Unanswerable("Links of the documentation lead nowhere:\n  " + "\n  ".join(broken))
    return Tree(pages, tuple(sorted(files)))


def target(page: str, link: str) -> str | None:
    """The path in the repository that a link of a page leads to; None: it leads elsewhere on the web."""
    if ELSEWHERE.match(link):
        return None
    path = unquote(link.partition("#")[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page


def _anchors(pages: dict[str, Page], name: str) -> Iterator[str]:
    for link in pages[name].links():
        path, anchor = target(name, link.target), unquote(link.target.partition("#")[2])
        known = {h.anchor for h in pages[path].headings} if path in pages else set()
        if path is not None and anchor and anchor not in known:
            yield f"{name}: {link.target}: no such heading"


def place(path: str) -> str:
    """Where a page or file is in the site: a README is the index of its folder."""
    folder, name = posixpath.split(path)
    if name == "README.md":
        return posixpath.join(folder, "index.html")
    return path.removesuffix(".md") + ".html" if name.endswith(".md") else path


def moved(page: str, link: str) -> str:
    """A link of a page as the site writes it."""
    path = target(page, link)
    if path is None or link.startswith("#"):
        return link
    _, hashed, anchor = link.partition("#")
    return relative(place(page), place(path)) + hashed + anchor


def relative(page: str, other: str) -> str:
    """The way from a file of the site to another."""
    return posixpath.relpath(other, posixpath.dirname(page) or ".")


@dataclass(frozen=True)
class Group:
    """A part of the navigation: its title, and name and page of each entry."""

    title: str
    entries: tuple[tuple[str, str], ...]


def navigation(tree: Tree) -> list[Group]:
    """The groups of docs/README.md: a table under a heading is one; what stands beside the tables comes first."""
    links = [(link, _page(link)) for link in tree.pages[INDEX].links()]
    seen: set[str] = {HOME, INDEX}
    groups: dict[str, list[tuple[str, str]]] = {}
    for link, path in links:
        if link.in_table and path and path not in seen:
            seen.add(path)
            groups.setdefault(link.section.partition(":")[0], []).append((_label(link), path))
    beside = []
    for link, path in links:
        if path and path not in seen:
            seen.add(path)
            beside.append((_label(link), path))
    first = Group("Regrow", (("Home", HOME), ("All pages", INDEX), *beside))
    return [first, *(Group(title, tuple(entries)) for title, entries in groups.items())]


def _page(link: Link) -> str:
    path = target(INDEX, link.target)
    return path if path and path.endswith(".md") else ""


def _label(link: Link) -> str:
    return link.text[:1].upper() + link.text[1:]
