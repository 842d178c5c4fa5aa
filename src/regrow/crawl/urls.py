"""Canonical URLs, so that one page is visited once (RFC 3986 section 6.2.2 and 6.2.3)."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

MAX_LENGTH = 2_048
_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Allowed as they are in a path or query; all else is percent-encoded as UTF-8.
_LEGAL = _UNRESERVED | frozenset("!$&'()*+,;=:@/%?")
_BREAKS = str.maketrans("", "", "\t\n\r")


def canonical(url: str, base: str = "") -> str | None:
    """The canonical form of `url`, resolved against `base`; None if no crawler can visit it.

    Lower-case scheme and host (IDNA), no default port, user or fragment, no dot segments,
    escapes in upper case and only where needed. The order of query arguments is kept.
    """
    try:
        joined = (
            urljoin(base, url.translate(_BREAKS).strip())
            if base
            else url.translate(_BREAKS).strip()
        )
        split = urlsplit(joined)
        port = split.port
        name = split.hostname or ""
    except ValueError:
        return None
    scheme = split.scheme.lower()
    if scheme not in _PORTS or not name:
        return None
    host = _host(name)
    if host is None:
        return None
    if port is not None and port != _PORTS[scheme]:
        host = f"{host}:{port}"
    path = _without_dots(_escaped(split.path.replace("\\", "/")) or "/")
    result = urlunsplit((scheme, host, path, _escaped(split.query), ""))
    return result if len(result) <= MAX_LENGTH else None


def host_of(url: str) -> str:
    """Host and port of a canonical URL."""
    return urlsplit(url).netloc


def target(url: str) -> str:
    """Path and query of a canonical URL, as sent in the request line."""
    split = urlsplit(url)
    return split.path + (f"?{split.query}" if split.query else "")


def _host(name: str) -> str | None:
    if ":" in name:  # IPv6 literal
        return f"[{name}]"
    try:
        plain = name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return None
    return plain if re.fullmatch(r"[a-z0-9._-]+", plain) else None


def _escaped(text: str) -> str:
    def decode(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    text = _ESCAPE.sub(decode, text)
    if all(character in _LEGAL for character in text):
        return text
    return "".join(
        c if c in _LEGAL else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "replace"))
        for c in text
    )


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
