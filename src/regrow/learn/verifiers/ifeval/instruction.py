"""What an instruction is, and the kinds of arguments that instructions take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from regrow.learn.verifiers.ifeval import patterns

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
    return _text(value) and patterns.bounded(value)


MAX_CHARACTERS = 20_000
"""of an answer: no checker's time is unbounded, and no count can be higher"""

COUNT: Kind = (
    f"a whole number, at least 1 and at most {MAX_CHARACTERS}",
    lambda v: _whole(v) and 1 <= v <= MAX_CHARACTERS,
)
TEXT: Kind = (
    f"a text of at most {MAX_CHARACTERS} characters",
    lambda v: _text(v) and len(v) <= MAX_CHARACTERS,
)
PATTERN: Kind = (f"a text that is {patterns.WORDS}", _pattern)
PATTERNS: Kind = (
    f"a list of texts, at least one, each {patterns.WORDS}",
    lambda v: isinstance(v, list | tuple) and len(v) > 0 and all(map(_pattern, v)),
)
SECTION: Kind = (
    f"a text that is {patterns.WORDS}, without * and +",
    lambda v: _text(v) and patterns.bounded(v, repeats=0),
)
LETTER: Kind = (
    "one letter a-z",
    lambda v: isinstance(v, str) and re.fullmatch("[A-Za-z]", v) is not None,
)
RELATION: Kind = ("'less than' or 'at least'", lambda v: v in ("less than", "at least"))


def compare(found: int, relation: str, wanted: int) -> bool:
    """Whether `found` is less than, or at least, what is wanted."""
    return found < wanted if relation == "less than" else found >= wanted
