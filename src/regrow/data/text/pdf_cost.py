"""What a PDF costs pdfium beyond its length, counted before it is opened.

Two things make a small file large: streams that inflate a thousandfold, and forms that draw other forms several
times each, level upon level (ISO 32000-1, section 8.10). pdfium has no limits of its own. The count reads streams
and dictionaries where they stand, without the cross-reference table, so it needs no sound file.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter

from regrow.data.web.cost import TooCostlyError

MAX_INFLATED = 256 << 20
"""bytes of all streams together, pictures aside"""
MAX_PAGE_OPERATORS = 500_000
"""operators of a page that show text, draw, move or save, each counted as often as its form is drawn; the
drawing of a form counts too, so that empty forms within forms do"""
MAX_OPERATORS = 4_000_000
"""the same of all pages together"""
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,10})[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+obj\b")
_STREAM = re.compile(rb"stream\r?\n")
_PICTURE = re.compile(
    rb"/Subtype[ \t\r\n]*/Image|/(?:DCT|JPX|JBIG2|CCITTFax)Decode|/FontFile|/Type[ \t\r\n]*/XRef"
)
_FORM = re.compile(rb"/Subtype[ \t\r\n]*/Form\b")
_REFERENCE = re.compile(
    rb"/([^\s/<>\[\](){}%]+)[ \t\r\n]+([0-9]{1,10})[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+R\b"
)
_DRAWN = re.compile(rb"/([^\s/<>\[\](){}%]+)[ \t\r\n]+Do\b")
_SHOWN = re.compile(rb"\b(?:T[jJ]|re|[lmcvyqh]|sh|BI|Do)\b|['\"][\s]")
_CONTENTS = re.compile(
    rb"/Contents[ \t\r\n]*(\[[^\]]*+\]|[0-9]{1,10}[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+R\b)"
)
_KIDS = re.compile(rb"/Kids[ \t\r\n]*(\[[^\]]*+\])")
_TARGET = re.compile(rb"([0-9]{1,10})[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+R\b")
_ARRAY = re.compile(rb"[ \t\r\n]*\[")
_FIRST = re.compile(rb"/First[ \t\r\n]+([0-9]{1,9})")
_LEVELS = 80
"""pdfium draws 40 deep; each is counted in two rounds"""


def check(body: bytes, max_pages: int) -> None:
    """Refuse a PDF that no parser should be given.

    Raises:
        TooCostlyError: a count is above its limit.
    """
    file = _File(body)
    costs = file.costs()
    pages = {number: cost for number, cost in costs.items() if number not in file.forms}
    largest = max(pages.values(), default=0)
    _within(largest, MAX_PAGE_OPERATORS, "operators of a page, forms within forms included")
    again = min(max_pages, max(file.kids.values(), default=1))
    total = sum(cost * max(1, file.contents[number]) for number, cost in pages.items())
    _within(total * again, MAX_OPERATORS, "operators of all pages")


class _File:
    """What stands in a file: streams that may hold operators, and who refers to whom."""

    def __init__(self, body: bytes) -> None:
        self.streams: dict[int, bytes] = {}
        self.forms: set[int] = set()
        self.names: dict[int, dict[bytes, int]] = {}
        """object -> names in it and the objects that they stand for"""
        self.anywhere: dict[bytes, set[int]] = {}
        """name -> what it stands for somewhere"""
        self.contents: Counter[int] = Counter()
        self.kids: Counter[int] = Counter()
        self.arrays: dict[int, list[int]] = {}
        size = 0
        starts = [(found.start(), int(found[1]), found.end()) for found in _OBJECT.finditer(body)]
        ends = [*(start for start, _, _ in starts[1:]), len(body)]
        for (_, number, at), end in zip(starts, ends, strict=False):
            size += self._object(number, body[at:end], MAX_INFLATED - size)
            _within(size, MAX_INFLATED, "bytes of streams")
        for (
            number,
            targets,
        ) in self.arrays.items():  # /Contents may name a list that stands elsewhere
            for target in targets if self.contents[number] else ():
                self.contents[target] += self.contents[number]

    def _object(self, number: int, content: bytes, limit: int) -> int:
        """Note an object; the size of its stream."""
        begin = _STREAM.search(content)
        head = content[: begin.start()] if begin else content
        self._note(number, head)
        if begin is None or _PICTURE.search(head):
            return 0
        data = content[begin.end() :]
        if b"/FlateDecode" in head or b"/Fl" in head:
            data = _inflated(data, limit)
        if b"/ObjStm" in head:
            self._packed(head, data)
        else:
            self.streams[number] = data
            if _FORM.search(head):
                self.forms.add(number)
        return len(data)

    def _packed(self, head: bytes, data: bytes) -> None:
        """Note the objects of an object stream (section 7.5.7): pairs of number and place, then they."""
        found = _FIRST.search(head)
        first = int(found[1]) if found else 0
        pairs = [
            int(word)
            for word in data[:first].split()[:200_000]
            if len(word) < 11 and word.isdigit()
        ]
        places = [*pairs[1::2], len(data)]
        for number, start, end in zip(pairs[::2], places, places[1:], strict=False):
            self._note(number, data[first + start : first + end])

    def _note(self, number: int, text: bytes) -> None:
        names = {name: int(target) for name, target in _REFERENCE.findall(text)}
        self.names[number] = names
        for name, target in names.items():
            self.anywhere.setdefault(name, set()).add(target)
        if _ARRAY.match(text):
            self.arrays[number] = [int(target) for target in _TARGET.findall(text)]
        for pattern, counter in ((_CONTENTS, self.contents), (_KIDS, self.kids)):
            for found in pattern.findall(text):
                counter.update(int(target) for target in _TARGET.findall(found))

    def _drawn(self, number: int) -> list[tuple[int, int | bytes]]:
        """How often a stream draws by a name, and which object that is, or the name where it may be any.

        A form names what it draws in its own resources; a page's are not looked for, all of that name count.
        """
        own = self.names.get(number, {})
        for entry in (b"Resources", b"XObject"):
            own = {**self.names.get(own.get(entry, -1), {}), **own}
        found = Counter(_DRAWN.findall(self.streams[number]))
        form = number in self.forms
        return [(times, own.get(name, -1 if form else name)) for name, times in found.items()]

    def costs(self) -> dict[int, int]:
        """Operators of each stream, with those of the forms that it draws."""
        operators = {number: len(_SHOWN.findall(data)) for number, data in self.streams.items()}
        drawn = {
            number: self._drawn(number) for number, data in self.streams.items() if b"Do" in data
        }
        loose = {what for names in drawn.values() for _, what in names if isinstance(what, bytes)}
        costs: dict[int | bytes, int] = dict(operators.items())
        for _ in range(_LEVELS if drawn else 0):
            before = dict(costs)
            for name in loose:
                costs[name] = max(
                    (before.get(target, 0) for target in self.anywhere.get(name, ())), default=0
                )
            for number, names in drawn.items():
                inner = sum(times * before.get(what, 0) for times, what in names)
                costs[number] = min(operators[number] + inner, 2 * MAX_OPERATORS)
            if costs == before:
                break
        return {number: costs[number] for number in operators}


def _within(value: int, limit: int, what: str) -> None:
    if value > limit:
        raise TooCostlyError("too_costly", value, limit, what)


def _inflated(data: bytes, limit: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        return inflate.decompress(data.lstrip(b"\r\n"), limit + 1)
    except zlib.error:
        return b""
