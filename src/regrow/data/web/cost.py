"""What a page costs a parser of HTML beyond its length, counted before it is parsed.

The rules of tree construction (HTML standard, section 13.2.6) and the parser's own lists make some pages cost
the square of their length: formatting elements that are never closed are opened again in every block, each
attribute is compared with those before it, each option with the select, and nests are walked from the root
for every block of text. One pass over the tags counts these; pages for people stay far below the limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from regrow.data.web import bounds
from regrow.data.web.bounds import Bounds
from regrow.data.web.elements import BLOCK, BOUNDARY, FORMATTING, INLINE_FREE

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
    found = bounds.count(html)
    if found is None or not _harmless(found):
        count = _Count()
        for raw, raw_rest, slash, name, rest in _TAG.findall(html):
            if raw:
                count.attributes(raw_rest)
            elif name:
                count.tag(name.lower(), bool(slash), rest)


def _harmless(found: Bounds) -> bool:
    """Whether a page is far from every limit, as nearly all are: its tags need not be read."""
    return (
        (found.longest <= 5_000 or found.longest * found.longest <= MAX_ATTRIBUTES)
        and found.unclosed <= 300
        and found.options <= 5_000
        and found.tops <= 50
        and found.tags * found.nest * found.nest <= MAX_WALKED
        and found.ends * found.nest <= MAX_SEARCHED
        and (found.boundaries or 1) * found.formats <= MAX_REOPENED
        and found.nest <= MAX_DEPTH
    )


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
        if name in BOUNDARY:
            self._reopen()
        if name in ("option", "optgroup") and not end:
            self._option()
        elif name in FORMATTING:
            self._format(name, end, attributes)
        if name == "select":
            self.options = 0
        if name in INLINE_FREE:
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
        if name in BLOCK:
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
        if not where or (name not in BLOCK and where[-1] < last):
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
