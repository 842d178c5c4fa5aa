"""What a Content-Type header says: the media type and the charset (WHATWG Fetch, "extract a MIME type")."""

from __future__ import annotations

import re

_PART = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\Z))+', re.DOTALL)
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHARSET = re.compile(r"""(?<![\w-])charset[\t ]*=[\t ]*["']?[\t ]*([^\s"';,]+)""", re.IGNORECASE)


def essence(content_type: str) -> str:
    """The media type in lower case without parameters; "" where none is stated.

    Proxies join two headers to a list, of which the last valid member counts; `*/*` is none.
    """
    return _parsed(content_type)[0]


def charset(content_type: str) -> str | None:
    """The label of the charset, as written; of a list, that of the last type that has one."""
    return _parsed(content_type)[1]


def _parsed(content_type: str) -> tuple[str, str | None]:
    kind, label = "", None
    for part in _PART.findall(content_type[:16_384]):
        name = part.partition(";")[0].strip("\t\n\r ").lower()
        if _TYPE.fullmatch(name) is None or name == "*/*":
            found = _CHARSET.search(part)
            label = label or (found[1] if found else None)
            continue
        found = _CHARSET.search(part)
        if found:
            label = found[1]
        elif name != kind and kind:
            label = None
        kind = name
    return kind, label
