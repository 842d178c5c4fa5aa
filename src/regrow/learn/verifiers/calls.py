"""The text of a tool call, `name(argument=value, …)`: read without evaluating anything, and written.

Values are whole numbers, strings in double quotes (JSON escapes) or single ones, `True`, `False`,
`None`, and flat lists of these. Every argument is named. A call is at most `MAX_CHARACTERS` long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

Scalar = int | str | bool | None
Value = Scalar | list[Scalar]

MAX_CHARACTERS = 2_000
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*"|'(?:[^'\\\x00-\x1f]|\\.)*')
    | (?P<number>-?(?:0|[1-9][0-9]{0,99})(?![0-9A-Za-z_.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]{0,63})
    | (?P<sign>[(),=\[\]])
    )""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, Scalar] = {"True": True, "False": False, "None": None}


class CallError(ValueError):
    """The text is no call."""


@dataclass(frozen=True)
class Call:
    """A tool's name and the arguments given to it."""

    name: str
    arguments: Mapping[str, Value]


def read(text: str) -> Call:
    """Read one call.

    Raises:
        CallError: the text is anything but one call.
    """
    return _Reader(text).call()


def write(call: Call) -> str:
    """The canonical text of a call; `read` gives the call back."""
    given = ", ".join(f"{name}={_written(value)}" for name, value in call.arguments.items())
    return f"{call.name}({given})"


def _written(value: Value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


class _Reader:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise CallError(f"a call of more than {MAX_CHARACTERS} characters")
        self.tokens: list[tuple[str, str]] = []
        text = text.strip()
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise CallError(f"cannot read {text[at : at + 20]!r}")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self.at = 0

    def _next(self) -> tuple[str, str]:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        self.at += 1
        return kind, text

    def _expect(self, sign: str) -> None:
        kind, text = self._next()
        if (kind, text) != ("sign", sign):
            raise CallError(f"{text or 'the end'!r} where {sign!r} belongs")

    def _more(self, closing: str) -> bool:
        """After an item: whether another one follows."""
        kind, text = self._next()
        if kind == "sign" and text in (",", closing):
            return text == ","
        raise CallError(f"{text or 'the end'!r} where ',' or {closing!r} belongs")

    def _closes(self, closing: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == ("sign", closing):
            self.at += 1
            return True
        return False

    def call(self) -> Call:
        name = self._name()
        self._expect("(")
        arguments: dict[str, Value] = {}
        more = not self._closes(")")
        while more:
            key = self._name()
            self._expect("=")
            if key in arguments:
                raise CallError(f"{key} is given twice")
            arguments[key] = self._list() if self._closes("[") else self._scalar()
            more = self._more(")")
        if self.at < len(self.tokens):
            raise CallError("something after the call")
        return Call(name, arguments)

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name" or text in _CONSTANTS:
            raise CallError(f"{text or 'the end'!r} where a name belongs")
        return text

    def _list(self) -> list[Scalar]:
        items: list[Scalar] = []
        more = not self._closes("]")
        while more:
            items.append(self._scalar())
            more = self._more("]")
        return items

    def _scalar(self) -> Scalar:
        kind, text = self._next()
        if kind == "number":
            return int(text)
        if kind == "string":
            return _string(text)
        if kind == "name" and text in _CONSTANTS:
            return _CONSTANTS[text]
        raise CallError(f"{text or 'the end'!r} where a value belongs")


def _string(text: str) -> str:
    if text[0] == "'":
        inner = text[1:-1].replace("\\'", "'")
        text = '"' + re.sub(r'(\\.)|"', lambda m: m[1] or '\\"', inner) + '"'
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CallError(f"a bad escape in {text[:20]}") from error
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise CallError("half of a surrogate pair in a string")
    return str(value)
