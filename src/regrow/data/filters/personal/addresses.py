"""IP addresses that may be somebody's.

Source: Dolma (arXiv 2402.00159, section 5.3); RFC 6890 and IANA's registries of special-purpose addresses, which list what is left
out here: private, shared, loopback, link-local, multicast and reserved ranges and those for documentation. The ranges
are written out, because those of Python's `ipaddress` change with its releases. Version numbers have the same form: four numbers
behind a word of versions, a name with `/`, `-`, `_` or `==`, or before a file's suffix, are no address, nor are four small ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

Span = tuple[int, int]

_FOUR = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\.?\w)", re.ASCII)
_SIX = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?(?![\w:])")
_VERSION = re.compile(
    r"(?:\b(?:versions?|vers?|v|releases?|rel|builds?|firmware|driver|revision|rev|section|chapter|figure|table"
    r"|clause|paragraph|appendix|oid)[.:]? ?\(?|§ ?|[A-Z]\w*/|\w[-_]|[=<>~!]=|[A-Za-z]@)\Z",
    re.IGNORECASE,
)
_BEFORE = 14
"""characters in which such a word is looked for"""
_VERSION_NUMBER = 31
"""four numbers up to this are those of a version or a section: one address in 4,000 has such"""
_NOT_FOUR = [
    IPv4Network(name)
    for name in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_GLOBAL_SIX = IPv6Network("2000::/3")
_NOT_SIX = [IPv6Network(name) for name in ("2001:db8::/32", "3fff::/20", "2001::/23")]


def addresses(text: str) -> Iterator[Span]:
    """Where global IPv4 and IPv6 addresses are."""
    for found in _FOUR.finditer(text):
        start, end = found.span()
        try:
            address = IPv4Address(found[0])
        except AddressValueError:  # over 255, or with a leading zero
            continue
        if any(address in network for network in _NOT_FOUR) or _numbered(text, start, end):
            continue
        yield start, end
    for found in _SIX.finditer(text):
        try:
            six = IPv6Address(found[0])
        except AddressValueError:
            continue
        if six in _GLOBAL_SIX and not any(six in network for network in _NOT_SIX):
            yield found.span()


def _numbered(text: str, start: int, end: int) -> bool:
    """Whether four numbers are those of a version or of a section."""
    if all(int(part) <= _VERSION_NUMBER for part in text[start:end].split(".")):
        return True
    before = text[max(start - _BEFORE, 0) : start]
    return _VERSION.search(before) is not None and not before.endswith("//")
