"""XHTML to HTML: a page that is served as XML follows XML's rules, which an HTML parser does not know."""

from __future__ import annotations

import html
import html.entities
import re

from lxml import etree

_VOID = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
_EMPTY = re.compile(
    r"""<([a-zA-Z][\w.-]*+)((?:[^<>"'/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*+)/>""",
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{0,31});")
_PROLOGUE = re.compile(r"\s*<\?xml\b[^>]{0,1024}\?>")
_SPACE = "{http://www.w3.org/1999/xhtml}"
_KEPT = frozenset({"amp", "lt", "gt", "quot", "apos"})


def as_html(text: str) -> str:
    """The page written as HTML.

    Read as XML where it is well-formed (entities are those of HTML; none is defined by the page
    itself). Else as browsers would read it if it were HTML, but with `<x/>` as an empty element and
    CDATA as text, which is what its author meant.
    """
    text = _PROLOGUE.sub("", text.removeprefix("\ufeff"), count=1)
    found = None if "<!ENTITY" in text else _read(_ENTITY.sub(_number, text))
    return found if found is not None else _expanded(text)


def _read(text: str) -> str | None:
    """By the XML parser; None where it refuses (not well-formed, or over 256 levels deep)."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, remove_comments=True
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    for element in root.iter(f"{_SPACE}*"):
        element.tag = element.tag.removeprefix(_SPACE)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, method="html", encoding="unicode", doctype="<!DOCTYPE html>")


def _number(found: re.Match[str]) -> str:
    """A named character of HTML as numbers, which XML knows without a DTD."""
    name = found[1]
    value = None if name in _KEPT else html.entities.html5.get(f"{name};")
    return found[0] if value is None else "".join(f"&#{ord(c)};" for c in value)


def _expanded(text: str) -> str:
    text = _CDATA.sub(lambda found: html.escape(found[1], quote=False), text)
    return _EMPTY.sub(_closed, text)


def _closed(found: re.Match[str]) -> str:
    name = found[1]
    return found[0] if name.lower() in _VOID else f"<{name}{found[2]}></{name}>"
