"""Addresses in a sitemap as sitemaps are in the wild.

XML sitemaps and indexes, RSS 2.0 and 1.0, Atom, and lists of addresses as text (sitemaps.org and
what search engines take besides), packed with gzip or not. A broken one counts up to where it
breaks: `&` by itself, HTML's entities, control characters and a wrong charset are repaired.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from html.entities import html5

from lxml import etree

from regrow.data.crawl.urls import canonical
from regrow.data.web import charset

MAX_URLS = 50_000  # of the protocol
MAX_BYTES = 50 << 20  # of the protocol, unpacked
_PIECE = 1 << 16
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(#[0-9]+;|#[xX][0-9A-Fa-f]+;|\w+;)?", re.DOTALL
)
_XML_ENTITIES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
_STRAY = re.compile("[\udc80-\udcff]")
_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")


@dataclass(frozen=True)
class Sitemap:
    """What a sitemap says."""

    pages: tuple[str, ...] = ()
    """canonical addresses, each once"""
    further: tuple[str, ...] = ()
    """other sitemaps"""
    trouble: str = ""
    """why it is none, or what was not read of it"""


def read_sitemap(body: bytes, url: str, content_type: str = "") -> Sitemap:
    """The addresses of a sitemap. Never raises.

    A document type that declares entities is refused, as those can explode; any other is read over.

    Args:
        body: without transfer and content coding; a file that is itself packed is unpacked here.
        url: its address; relative addresses in it are resolved against it.
        content_type: the header, for the charset.
    """
    body, trouble = unpacked(body)
    text = _decoded(body, content_type).lstrip("\ufeff \t\r\n\0")
    if not text.startswith("<"):
        return _listed(text, trouble)
    if "<!ENTITY" in text:
        return Sitemap(trouble="no sitemap: it declares entities")
    kinds, parser_trouble = _marked_up(text)
    pages = list(dict.fromkeys(u for k, a in kinds if k == "page" and (u := canonical(a, url))))
    further = list(dict.fromkeys(u for k, a in kinds if k == "map" and (u := canonical(a, url))))
    if not pages and not further:
        return Sitemap(trouble=trouble or f"no sitemap: {parser_trouble or 'no address in it'}")
    if len(pages) > MAX_URLS or len(further) > MAX_URLS:
        trouble = f"{max(len(pages), len(further)) - MAX_URLS} addresses beyond {MAX_URLS}"
    return Sitemap(tuple(pages[:MAX_URLS]), tuple(further[:MAX_URLS]), trouble or parser_trouble)


def unpacked(body: bytes) -> tuple[bytes, str]:
    """A gzip file's content, at most MAX_BYTES, as far as it can be read; and what is wrong."""
    if not body.startswith(b"\x1f\x8b"):
        return body, ""
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest.startswith(b"\x1f\x8b"):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while rest and not inflate.eof:
            # Piece by piece: the one that breaks takes those before it not along.
            try:
                part = inflate.decompress(inflate.unconsumed_tail or rest[:_PIECE], _PIECE * 16)
            except zlib.error:
                return b"".join(parts), "broken gzip data"
            if not inflate.unconsumed_tail and not inflate.eof:
                rest = rest[_PIECE:]
            parts.append(part)
            size += len(part)
            if size > MAX_BYTES:
                return b"".join(parts)[:MAX_BYTES], f"longer than {MAX_BYTES} bytes"
        if not inflate.eof:
            return b"".join(parts), "gzip data ends early"
        rest = inflate.unused_data + rest[_PIECE:]
    return b"".join(parts), ""


def _decoded(body: bytes, content_type: str) -> str:
    """As a page is decoded; but what is no UTF-8 in a UTF-8 file is an address's escaped byte."""
    found = charset.decode(body, content_type, 1.0)
    if found is not None and not (found.charset == "utf-8" and found.invalid):
        return found.text
    text = body.decode("utf-8", "surrogateescape")
    return _STRAY.sub(lambda byte: f"%{ord(byte[0]) & 0xFF:02X}", text)


def _whole(text: str) -> str:
    """Without the start tag at the end of a cut-off file: its address may be half of one."""
    last = text.rfind("<")
    rest = text[last:].rstrip()
    return text if rest.startswith(("</", "<!", "<?")) or rest.endswith("/>") else text[:last]


def _listed(text: str, trouble: str) -> Sitemap:
    """A list of addresses: one absolute address a line."""
    lines = (line.strip() for line in text.splitlines())
    absolute = (line for line in lines if line.lower().startswith(("http://", "https://")))
    pages = list(dict.fromkeys(url for line in absolute if (url := canonical(line))))
    if not pages:
        return Sitemap(trouble=trouble or "no sitemap: no address in it")
    if len(pages) > MAX_URLS:
        trouble = f"{len(pages) - MAX_URLS} addresses beyond {MAX_URLS}"
    return Sitemap(tuple(pages[:MAX_URLS]), (), trouble)


def _marked_up(text: str) -> tuple[list[tuple[str, str]], str]:
    """("page" or "map", address) in the order of an XML file, read while it is parsed."""
    text = _CONTROLS.sub("", text).lstrip()
    declaration = _DECLARATION.match(text)
    text = _whole(text[declaration.end() :] if declaration else text)
    data = _AMPERSAND.sub(_reference, text).encode("utf-8", "replace")
    parser = etree.XMLPullParser(
        ("end",), recover=True, resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    found: list[tuple[str, str]] = []
    trouble = ""
    for start in range(0, len(data), _PIECE):
        try:
            parser.feed(data[start : start + _PIECE])
        except etree.XMLSyntaxError:
            trouble = "broken XML"
        found += _of_events(parser)
        if trouble or len(found) > 2 * MAX_URLS:
            break
    try:
        parser.close()
    except etree.XMLSyntaxError:
        trouble = "broken XML"
    if len(parser.feed_error_log):
        trouble = "broken XML"
    return found + _of_events(parser), trouble


def _of_events(parser: etree.XMLPullParser) -> list[tuple[str, str]]:
    found = []
    for _, element in parser.read_events():
        if not isinstance(element.tag, str):
            continue
        name = _local(element)
        parent = _local(element.getparent()) if element.getparent() is not None else ""
        if name == "loc" and _space(element) == _space(element.getparent()):
            kind = {"url": "page", "sitemap": "map"}.get(parent)
        elif name == "link" and parent in ("item", "entry"):
            # An Atom entry may have links to other things than its page.
            kind = "page" if element.get("rel", "alternate") == "alternate" else None
        else:
            kind = None
        if kind:
            address = "".join(element.itertext()).strip() or element.get("href", "").strip()
            found.append((kind, address))
        if name in ("url", "sitemap", "item", "entry"):
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return found


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _space(element: etree._Element | None) -> str:
    return "" if element is None else str(element.tag).rpartition("}")[0]


def _reference(found: re.Match[str]) -> str:
    """An ampersand that XML does not know is what the writer meant: a character, or itself."""
    name = found[1]
    if found[0].startswith("<") or (name and (name in _XML_ENTITIES or name.startswith("#"))):
        return found[0]
    if name and name in html5:
        return html5[name].replace("&", "&amp;").replace("<", "&lt;")
    return "&amp;" + (name or "")
