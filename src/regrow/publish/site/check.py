"""Every link of a built site leads to a file and an anchor of it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import unquote

from regrow.publish.site.tree import ELSEWHERE

LOADS = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "object": "data",
}
"""element -> the attribute whose target a browser fetches by itself"""


class _Reader(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.targets: list[tuple[str, str]] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif value is not None and name in ("href", "src", "data", "srcset"):
                self.targets.append((tag, value))


def broken(site: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the links of a site, given as its files by path."""
    read: dict[str, _Reader] = {}
    for path, content in site.items():
        if path.endswith(".html"):
            read[path] = _Reader()
            read[path].feed(content.decode("utf-8"))
    return [
        f"{path}: {target}: {why}"
        for path in sorted(read)
        for tag, target in read[path].targets
        if (why := _fault(path, tag, target, site, read))
    ]


def _fault(
    page: str, tag: str, target: str, site: Mapping[str, bytes], read: Mapping[str, _Reader]
) -> str:
    if ELSEWHERE.match(target):
        return "is loaded from elsewhere" if tag in LOADS and not target.startswith("data:") else ""
    if target.startswith("/"):
        return "is not relative"
    path, _, anchor = unquote(target).partition("#")
    file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if file not in site:
        return "no such file"
    if anchor and (file not in read or anchor not in read[file].anchors):
        return "no such anchor"
    return ""
