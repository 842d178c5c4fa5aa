"""Canonical URLs, so that one page is visited once.

RFC 3986 sections 6.2.2 and 6.2.3, with the URL standard's reading of what real pages write:
backslashes, escaped hosts, IDNA without transitional mapping, queries in the page's charset.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from regrow.data.crawl.hosts import canonical_host
from regrow.data.web.numbers import decimal

MAX_LENGTH = 2_048
_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Allowed as they are in a path or query; all else is percent-encoded.
_LEGAL = _UNRESERVED | frozenset("!$&'()*+,;=:@/%?")
_BREAKS = str.maketrans("", "", "\t\n\r")
_EDGES = "".join(map(chr, range(33)))  # controls and space
_MAX_READ = 1 << 16
_MAX_NAME = 3_072  # a host of 253 characters, each escaped


def canonical(url: str, base: str = "", charset: str = "utf-8") -> str | None:
    """The canonical form of `url`, resolved against `base`; None if no crawler can visit it.

    Lower-case scheme and host (IDNA), no default port, user or fragment, no dot segments,
    escapes in upper case and only where needed. The order of query arguments is kept.
    `charset` is the Python codec of the page: the query is escaped in it, the path as UTF-8.
    """
    if len(url) > _MAX_READ:
        return None
    url = url.translate(_BREAKS).strip(_EDGES)
    end = re.search(r"[?#]|\Z", url)
    assert end is not None
    url = url[: end.start()].replace("\\", "/") + url[end.start() :]
    try:
        split = urlsplit(urljoin(base, url) if base else url)
    except ValueError:
        return None
    scheme = split.scheme.lower()
    if scheme not in _PORTS:
        return None
    host = _authority(split.netloc, _PORTS[scheme])
    if host is None:
        return None
    path = _without_dots(_escaped(split.path, "utf-8") or "/")
    query = _escaped(split.query, "utf-8" if charset.startswith("utf") else charset)
    result = urlunsplit((scheme, host, path, query, ""))
    return result if len(result) <= MAX_LENGTH else None


def host_of(url: str) -> str:
    """Host and port of a canonical URL."""
    return urlsplit(url).netloc


def target(url: str) -> str:
    """Path and query of a canonical URL, as sent in the request line."""
    split = urlsplit(url)
    return split.path + (f"?{split.query}" if split.query else "")


def from_header(value: str) -> str:
    """An address in a header (Location, Refresh), which is one character per byte.

    Bytes beyond ASCII are UTF-8 where they can be; others are escaped as they are
    (https://github.com/scrapy/scrapy/issues/2321).
    """
    data = value.encode("latin-1", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in data)


def _authority(netloc: str, default: int) -> str | None:
    """Host, and port where it is not the default one."""
    found = re.fullmatch(
        r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", netloc.rpartition("@")[2], re.DOTALL
    )
    if found is None or len(found[1]) > _MAX_NAME:
        return None
    host = canonical_host(found[1])
    if not found[2]:
        return host
    port = decimal(found[2], 65_536)
    if host is None or port is None or not 0 < port < 65_536:
        return None
    return host if port == default else f"{host}:{port}"


def _escaped(text: str, charset: str) -> str:
    def decode(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    text = _ESCAPE.sub(decode, text)
    if all(character in _LEGAL for character in text):
        return text
    return "".join(c if c in _LEGAL else _percent(c, charset) for c in text)


def _percent(character: str, charset: str) -> str:
    """Escapes of a character; one that the charset lacks is written as HTML's `&#1234;`."""
    try:
        data = character.encode(charset, "xmlcharrefreplace" if charset != "utf-8" else "replace")
    except (LookupError, UnicodeError):
        data = character.encode("utf-8", "replace")
    return "".join(chr(b) if chr(b) in _UNRESERVED else f"%{b:02X}" for b in data)


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path if path.startswith("/") else "/" + path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
