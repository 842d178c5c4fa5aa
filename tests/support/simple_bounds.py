"""The bounds of a page's costs in their simplest form, to compare `regrow.data.web.bounds` with."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import ClassVar

from regrow.data.web.cost import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_REOPENED,
    MAX_SEARCHED,
    MAX_WALKED,
)
from regrow.data.web.elements import FORMATTING, INLINE_FREE

_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|textarea)(?=[\t\n\f\r />]).*?(?:</\1(?=[\t\n\f\r />])|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_OTHER, _FLAT, _OPEN, _CLOSE, _FORMAT, _UNFORMAT, _OPTION, _TOP = range(8)
_NAME = re.compile(r"/?[a-z][^\t\n\f\r />]*")


class SimpleBounds:
    """Upper bounds of the counts, for pages that are far from every limit: nearly all.

    Of each tag only its kind is looked up, by its first characters; that is a few times cheaper than
    reading the tags, which costs as much as parsing the page.
    """

    kinds: ClassVar[dict[str, int]] = {}

    def __init__(self, html: str) -> None:
        pieces = _HIDDEN.sub(" ", html).split("<")[1:]
        known = self.kinds
        if len(known) > 20_000:
            known.clear()
        found = [known.get(piece[:12], -1) for piece in pieces]
        for at, kind in enumerate(found):
            if kind < 0:
                key = pieces[at][:12]
                found[at] = known[key] = _kind(key)
        self.kind = bytes(found)
        self.longest = max(map(len, pieces), default=0)
        self.unclosed = sum(">" not in piece for piece in pieces)

    def harmless(self) -> bool:
        kind = self.kind
        tags, ends = len(kind), kind.count(_CLOSE) + kind.count(_UNFORMAT)
        if self.longest > 5_000 and self.longest * self.longest > MAX_ATTRIBUTES:
            return False
        if self.unclosed > 300 or kind.count(_OPTION) > 5_000 or kind.count(_TOP) > 50:
            return False
        open_ = _rise(kind.translate(_AS_NEST, bytes((_OTHER, _FLAT, _OPTION, _TOP))))
        formats = _rise(
            kind.translate(_AS_FORMAT, bytes((_OTHER, _FLAT, _OPEN, _CLOSE, _OPTION, _TOP)))
        )
        boundaries = tags - kind.count(_FORMAT) - kind.count(_OTHER)
        return (
            tags * open_ * open_ <= MAX_WALKED
            and ends * open_ <= MAX_SEARCHED
            and (boundaries or 1) * formats <= MAX_REOPENED
            and open_ <= MAX_DEPTH
        )


_AS_NEST = bytes((0, 0, 2, 0, 2, 0, 0, 0)) + bytes(248)
_AS_FORMAT = bytes((0, 0, 0, 0, 2, 0, 0, 0)) + bytes(248)


def _rise(steps: bytes) -> int:
    """The furthest that a path goes up from a low point; a byte 2 is a step up, 0 a step down."""
    path = [*accumulate((-1, 0, 1)[step] for step in steps)]
    return max(path) - min(0, *path) if path else 0


def _kind(key: str) -> int:
    """What a tag is, by the first twelve characters behind its `<`."""
    found = _NAME.match(key.lower())
    if found is None:
        return _OTHER
    end, name = found[0].startswith("/"), found[0].removeprefix("/")
    if name in FORMATTING:
        return _UNFORMAT if end else _FORMAT
    if name in ("option", "optgroup"):
        return _OPTION
    if name in ("body", "html") and not end:
        return _TOP
    if name in INLINE_FREE:
        return _FLAT
    return _CLOSE if end else _OPEN
