"""What a page costs a parser of HTML beyond its length, counted before it is parsed.

The rules of tree construction (HTML standard, section 13.2.6) and the parser's own lists make some pages cost
the square of their length: formatting elements that are never closed are opened again in every block, each
attribute is compared with those before it, each option with the select, and nests are walked from the root
for every block of text. One pass over the tags counts these; pages for people stay far below the limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import ClassVar

MAX_DEPTH = 2_000
"""block elements inside each other"""
MAX_OPEN = 20_000
"""elements of any kind inside each other"""
MAX_WALKED = 10_000_000_000
"""sum over all tags of the square of the number of open blocks"""
MAX_REOPENED = 200_000
"""formatting elements opened again, all blocks together"""
MAX_SEARCHED = 30_000_000
"""open elements looked through for end tags that close nothing, or nothing near"""
MAX_ATTRIBUTES = 100_000_000
"""sum of the squares of the attributes of each tag: 10,000 in one"""
MAX_OPTIONS = 100_000_000
"""sum of the squares of the options of each select: 10,000 in one"""
_LONG = 2_000
"""characters of a tag that may hold many attributes"""

_REST = r"""(?:[^>"'=]++|=[\t\n\f\r ]*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?|["'])*+(?:>|\Z)"""
_TAG = re.compile(
    rf"""<(?:
      !--(?:-?>|.*?(?:--!?>|\Z))
    | (?:(script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\t\n\f\r />])({_REST}).*?(?:</\1(?=[\t\n\f\r />])|\Z))
    | (/?)([a-zA-Z][^\t\n\f\r />]*+)({_REST})
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""[^\t\n\f\r />=][^\t\n\f\r />=]*+(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*+"?|'[^']*+'?|[^\t\n\f\r >]*+))?"""
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
_BLOCK = _words(
    "div section article main aside header footer nav form fieldset figure figcaption center ul ol dl menu dir hgroup"
    " blockquote address details summary pre listing search dialog object marquee applet button template table"
    " select svg math"
)
"""elements that stay open until their end tag"""
_BOUNDARY = _BLOCK | _words(
    "p li dt dd h1 h2 h3 h4 h5 h6 td th tr tbody thead tfoot caption body html hr option optgroup rp rt rb rtc"
)
"""elements whose begin or end closes formatting elements that are opened again behind it"""


_INLINE_FREE = _words(
    "head frameset noscript area base br col embed hr img input link meta param source track wbr"
) | (_BOUNDARY - _BLOCK)
"""elements that hold no others, or that the next one of their kind closes: no nests are made of them"""


class TooCostlyError(Exception):
    """A page that costs too much to parse; `reason` is too_deep or too_costly."""

    def __init__(self, reason: str, value: float, limit: float, what: str) -> None:
        super().__init__(what)
        self.reason, self.value, self.limit = reason, float(value), float(limit)


def check(html: str) -> None:
    """Refuse a page that no parser should be given.

    Raises:
        TooCostlyError: a count is above its limit.
    """
    if not _Bounds(html).harmless():
        count = _Count()
        for raw, raw_rest, slash, name, rest in _TAG.findall(html):
            if raw:
                count.attributes(raw_rest)
            elif name:
                count.tag(name.lower(), bool(slash), rest)


_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|textarea)(?=[\t\n\f\r />]).*?(?:</\1(?=[\t\n\f\r />])|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_OTHER, _FLAT, _OPEN, _CLOSE, _FORMAT, _UNFORMAT, _OPTION, _TOP = range(8)
_NAME = re.compile(r"/?[a-z][^\t\n\f\r />]*")


class _Bounds:
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
    if name in _FORMATTING:
        return _UNFORMAT if end else _FORMAT
    if name in ("option", "optgroup"):
        return _OPTION
    if name in ("body", "html") and not end:
        return _TOP
    if name in _INLINE_FREE:
        return _FLAT
    return _CLOSE if end else _OPEN


@dataclass
class _Count:
    """Open elements and what has been counted so far."""

    stack: list[str] = field(default_factory=list)
    """open elements, but for those that make no nests"""
    places: dict[str, list[int]] = field(default_factory=dict)
    """name -> where in the stack it is open"""
    blocks: list[int] = field(default_factory=list)
    """where in the stack the blocks are"""
    formats: dict[str, list[str]] = field(default_factory=dict)
    """name -> attributes of the open formatting elements; three of each kind at most (Noah's Ark)"""
    top: int = 0
    """attributes of all body and html tags: they are put together"""
    opened: int = 0
    reopened: int = 0
    walked: int = 0
    searched: int = 0
    squares: int = 0
    options: int = 0
    option_squares: int = 0

    def tag(self, name: str, end: bool, attributes: str) -> None:
        """Count a tag."""
        depth = len(self.blocks)
        self.walked = _within(
            self.walked + depth * depth, MAX_WALKED, "too_deep", "squares of the depths"
        )
        if not end:
            self.attributes(attributes, name in ("body", "html"))
        if name in _BOUNDARY:
            self._reopen()
        if name in ("option", "optgroup") and not end:
            self._option()
        elif name in _FORMATTING:
            self._format(name, end, attributes)
        if name == "select":
            self.options = 0
        if name in _INLINE_FREE:
            return
        if end:
            self._close(name)
        else:
            self._open(name)

    def attributes(self, text: str, top: bool = False) -> None:
        """Count the attributes of a tag."""
        if len(text) <= _LONG and not top:
            return
        number = len(_ATTRIBUTE.findall(text))
        self.top += number if top else 0
        squares = self.squares + number * (self.top if top else number)
        self.squares = _within(squares, MAX_ATTRIBUTES, "too_costly", "squares of attributes")

    def _reopen(self) -> None:
        self.reopened = _within(
            self.reopened + self.opened, MAX_REOPENED, "too_costly", "elements opened again"
        )

    def _format(self, name: str, end: bool, attributes: str) -> None:
        alike = self.formats.setdefault(name, [])
        if end or (name in ("a", "nobr") and alike):  # these two never nest
            if alike:
                alike.pop()
                self.opened -= 1
            self._reopen()
        if not end and alike[-3:].count(attributes) < 3:
            alike.append(attributes)
            self.opened += 1

    def _option(self) -> None:
        self.options += 1
        squares = self.option_squares + 2 * self.options - 1
        self.option_squares = _within(squares, MAX_OPTIONS, "too_costly", "squares of options")

    def _open(self, name: str) -> None:
        place = len(self.stack)
        self.stack.append(name)
        self.places.setdefault(name, []).append(place)
        _within(place + 1, MAX_OPEN, "too_deep", f"more than {MAX_OPEN} elements inside each other")
        if name in _BLOCK:
            self.blocks.append(place)
            _within(
                len(self.blocks),
                MAX_DEPTH,
                "too_deep",
                f"more than {MAX_DEPTH} elements inside each other",
            )

    def _close(self, name: str) -> None:
        """An end tag closes what is open since its element, unless a block lies between."""
        where = self.places.get(name)
        last = self.blocks[-1] if self.blocks else -1
        if not where or (name not in _BLOCK and where[-1] < last):
            searched = self.searched + len(self.stack)
            self.searched = _within(
                searched, MAX_SEARCHED, "too_costly", "elements searched for end tags"
            )
            return
        place = where[-1]
        for other in reversed(self.stack[place:]):
            self.places[other].pop()
        del self.stack[place:]
        while self.blocks and self.blocks[-1] >= place:
            self.blocks.pop()


def _within(value: int, limit: int, reason: str, what: str) -> int:
    if value > limit:
        raise TooCostlyError(reason, value, limit, what)
    return value
