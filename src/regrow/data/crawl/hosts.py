"""One spelling of a host (URL standard, section 3.5: host parsing and serializing)."""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from urllib.parse import unquote_to_bytes

import idna

_PLAIN = re.compile(r"[a-z0-9_-]{1,63}")
_MAX_LENGTH = 253
_NUMBER = re.compile(r"0[xX]([0-9A-Fa-f]*)|0([0-7]+)|(0|[1-9][0-9]*)")


@functools.lru_cache(maxsize=4_096)
def canonical_host(name: str) -> str | None:
    """A name in lower case and IDNA (UTS 46, not transitional), or an address; None for neither.

    Escapes are decoded first, a last dot is dropped. `straße` becomes `xn--strae-oqa`, not
    `strasse`, which is somebody else's; `0x7f.1` and `127.0.0.1` are one host.
    """
    if name.startswith("["):
        return _address6(name[1:-1])
    try:
        text = unquote_to_bytes(name).decode("utf-8")
        if len(text) > _MAX_LENGTH + 1:  # punycode's cost is a square
            return None
        mapped = text.lower() if text.isascii() else _mapped(text)
    except (UnicodeError, idna.IDNAError, ValueError):
        return None
    labels = [_label(label) for label in mapped.removesuffix(".").split(".")]
    plain = ".".join(label or "" for label in labels)
    if not all(labels) or len(plain) > _MAX_LENGTH:
        return None
    last = plain.rpartition(".")[2]
    if last.isdigit() or _NUMBER.fullmatch(last):
        return _address4(plain)
    return plain


def _mapped(text: str) -> str:
    """The mapping of UTS 46; for ASCII it is lower case."""
    return idna.uts46_remap(text, std3_rules=False, transitional=False)


def _label(label: str) -> str | None:
    """A label in ASCII; None if no host can have it."""
    if not label.isascii():
        if unicodedata.category(label[0]).startswith("M"):
            return None
        label = "xn--" + label.encode("punycode").decode("ascii")
    return label if _PLAIN.fullmatch(label) else None


def _address4(name: str) -> str | None:
    """An IPv4 address in any of the spellings that `inet_aton` reads, as four decimal numbers."""
    numbers = [_number(part) for part in name.split(".")]
    *first, last = numbers
    if last is None or len(first) > 3 or last >= 256 ** (4 - len(first)):
        return None
    for place, number in enumerate(first):
        if number is None or number > 255:
            return None
        last += number << 8 * (3 - place)
    return str(ipaddress.IPv4Address(last))


def _number(part: str) -> int | None:
    """Hexadecimal, octal or decimal; None for anything else."""
    found = _NUMBER.fullmatch(part)
    if found is None or len(part) > 16:
        return None
    if found[1] is not None:
        return int(found[1] or "0", 16)
    return int(found[2], 8) if found[2] else int(found[3])


def _address6(name: str) -> str | None:
    if "%" in name:
        return None  # a zone is a place on one machine
    try:
        return f"[{ipaddress.IPv6Address(name).compressed}]"
    except ValueError:
        return None
