"""What a PDF costs pdfium beyond its length, counted before it is opened.

Two things make a small file large: streams that inflate a thousandfold, and forms that draw other forms several
times each, level upon level (ISO 32000-1, section 8.10). pdfium has no limits of its own. The count reads streams
and dictionaries where they stand, without the cross-reference table, so it needs no sound file.
"""

from __future__ import annotations

import re
import zlib

from regrow.web.cost import TooCostlyError

MAX_INFLATED = 256 << 20
"""bytes of all streams together, pictures aside"""
MAX_OPERATORS = 2_000_000
"""operators that show text or draw, each counted as often as its form is drawn"""
_OBJECT = re.compile(rb"(?<![0-9])([0-9]{1,10})[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+obj\b")
_STREAM = re.compile(rb"stream\r?\n")
_PICTURE = re.compile(
    rb"/Subtype[ \t\r\n]*/Image|/(?:DCT|JPX|JBIG2|CCITTFax)Decode|/FontFile|/Type[ \t\r\n]*/XRef"
)
_REFERENCE = re.compile(
    rb"/([^\s/<>\[\](){}%]+)[ \t\r\n]+([0-9]{1,10})[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+R\b"
)
_DRAWN = re.compile(rb"/([^\s/<>\[\](){}%]+)[ \t\r\n]+Do\b")
_SHOWN = re.compile(rb"\b(?:T[jJ]|re|[lcvy]|sh|BI)\b|['\"][\s]")
_LEVELS = 40
"""pdfium draws no deeper"""


def check(body: bytes) -> None:
    """Refuse a PDF that no parser should be given.

    Raises:
        TooCostlyError: a count is above its limit.
    """
    streams, names = _streams(body)
    operators = {number: len(_SHOWN.findall(data)) for number, data in streams.items()}
    drawn = {
        number: [
            target
            for name in _DRAWN.findall(data)
            for target in names.get(name, ())
            if target in streams
        ]
        for number, data in streams.items()
    }
    costs = dict(operators)
    for _ in range(_LEVELS):
        before, costs = costs, {n: operators[n] + sum(costs[t] for t in drawn[n]) for n in streams}
        total = sum(costs.values())
        if total > MAX_OPERATORS:
            raise TooCostlyError(
                "too_costly", total, MAX_OPERATORS, "operators of forms within forms"
            )
        if costs == before:
            break


def _streams(body: bytes) -> tuple[dict[int, bytes], dict[bytes, set[int]]]:
    """Decoded streams that may hold operators, by object; and what each resource name may stand for."""
    found: dict[int, bytes] = {}
    names: dict[bytes, set[int]] = {}
    size = 0
    starts = [(m.start(), int(m[1]), m.end()) for m in _OBJECT.finditer(body)]
    for (_, number, at), end in zip(
        starts, [s for s, _, _ in starts[1:]] + [len(body)], strict=True
    ):
        begin = _STREAM.search(body, at, end)
        head = body[at : begin.start() if begin else end]
        _note(head, names)
        if begin is None or _PICTURE.search(head):
            continue
        data = body[begin.end() : end]
        if b"/FlateDecode" in head or b"/Fl" in head:
            data = _inflated(data, MAX_INFLATED - size)
        size += len(data)
        if size > MAX_INFLATED:
            raise TooCostlyError("too_costly", size, MAX_INFLATED, "bytes of streams")
        if b"/ObjStm" in head:
            _note(data, names)
        else:
            found[number] = data
    return found, names


def _note(text: bytes, names: dict[bytes, set[int]]) -> None:
    for name, target in _REFERENCE.findall(text):
        names.setdefault(name, set()).add(int(target))


def _inflated(data: bytes, limit: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        return inflate.decompress(data, limit + 1)
    except zlib.error:
        return b""
