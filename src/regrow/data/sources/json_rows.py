"""A line of JSON as a row (RFC 8259), without surprises.

Numbers stay as they are written, however long; NaN, which Python and pandas write for what is missing, is null.
Nesting is measured before it is parsed: how deep Python's parser gets depends on who calls it.
"""

from __future__ import annotations

import json
import re

MAX_DEPTH = 64
"""arrays and objects inside one another"""
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]+")


class Number(str):
    """A number as it is written: `1.50`, or an integer of 5,000 digits."""

    __slots__ = ()


class RowError(Exception):
    """Why a line is no row."""

    def __init__(
        self, reason: str, detail: str, value: float | None = None, threshold: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.value, self.threshold = reason, detail, value, threshold


def _constant(word: str) -> object:
    return None if word == "NaN" else Number(word)


_DECODER = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=_constant, strict=False
)


def row(line: bytes) -> dict[str, object]:
    """The object that a line holds.

    Raises:
        RowError: `bad_charset` (not UTF-8), `too_deep`, `bad_json`, `not_an_object`.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {line[error.start]:02x} at {error.start} is not UTF-8"
        raise RowError("bad_charset", found) from None
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and (depth := _depth(line)) > MAX_DEPTH:
        raise RowError("too_deep", "arrays and objects", float(depth), float(MAX_DEPTH))
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RowError("bad_json", f"{error.msg} at character {error.pos}") from None
    except (RecursionError, ValueError) as error:
        raise RowError("bad_json", type(error).__name__) from None
    if not isinstance(value, dict):
        raise RowError("not_an_object", f"{kind_of(value)} where an object is needed")
    return value


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for run in _BRACKETS.findall(_STRINGS.sub(b"", line)):
        for byte in run:
            depth += 1 if byte in b"[{" else -1
            deepest = max(deepest, depth)
    return deepest


def kind_of(value: object) -> str:
    """What a value is, with its article, for a message."""
    if value is None:
        return "null"
    for kind, said in (
        (bool, "a boolean"), (Number, "a number"), (str, "a string"), (bytes, "bytes"), (list, "an array"),
        (dict, "an object"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return said
    return "a value of another kind"


def canonical(value: object) -> str:
    """A value as JSON with sorted keys; numbers as they were written, bytes as hexadecimal digits."""
    if isinstance(value, dict):
        inside = (
            f"{json.dumps(str(key), ensure_ascii=False)}: {canonical(value[key])}"
            for key in sorted(value)
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, bytes):
        return json.dumps(value.hex())
    return json.dumps(value, ensure_ascii=False)
