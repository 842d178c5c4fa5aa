"""What an instruction is, and the kinds of arguments that instructions take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Kind = tuple[str, Callable[[Any], bool]]
"""what an argument must be, in words and as a test"""


@dataclass(frozen=True)
class Instruction:
    """One checkable instruction."""

    follows: Callable[..., bool]
    """follows(text, **arguments)"""
    arguments: dict[str, Kind] = field(default_factory=dict)
    """all of them needed"""
    language: bool = False
    """it asks in which language the text is"""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _pattern(value: Any) -> bool:
    """IFEval searches for keywords as regular expressions."""
    try:
        return _text(value) and re.compile(value) is not None
    except re.error:
        return False


COUNT: Kind = ("a whole number, at least 1", lambda v: _whole(v) and v >= 1)
TEXT: Kind = ("a text", _text)
PATTERN: Kind = ("a text that is a regular expression", _pattern)
PATTERNS: Kind = (
    "a list of texts that are regular expressions, at least one",
    lambda v: isinstance(v, list | tuple) and len(v) > 0 and all(map(_pattern, v)),
)
LETTER: Kind = (
    "one letter a-z",
    lambda v: isinstance(v, str) and re.fullmatch("[A-Za-z]", v) is not None,
)
RELATION: Kind = ("'less than' or 'at least'", lambda v: v in ("less than", "at least"))


def compare(found: int, relation: str, wanted: int) -> bool:
    """Whether `found` is less than, or at least, what is wanted."""
    return found < wanted if relation == "less than" else found >= wanted
