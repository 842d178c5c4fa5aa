"""The tools a model may call: pure functions of small values, each with a line that describes it.

They run in this process: each is total on its declared types, touches nothing and is bounded by the
length of the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from regrow.learn.verifiers.calls import Call, CallError, read

_KINDS: dict[str, Callable[[Any], bool]] = {
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "str": lambda v: isinstance(v, str),
    "list": lambda v: isinstance(v, list),
}


class ToolError(ValueError):
    """A call that no tool takes."""


def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


def subtract(a: int, b: int) -> int:
    """The first number less the second."""
    return a - b


def multiply(a: int, b: int) -> int:
    """The product of two numbers."""
    return a * b


def divide(a: int, b: int) -> int:
    """The whole quotient of two numbers, rounded down."""
    if b == 0:
        raise ToolError("division by zero")
    return a // b


def length(text: str) -> int:
    """The number of characters of a text."""
    return len(text)


def count(text: str, letter: str) -> int:
    """How often a letter occurs in a text."""
    if len(letter) != 1:
        raise ToolError("letter must be one character")
    return text.count(letter)


def reverse(text: str) -> str:
    """A text backwards."""
    return text[::-1]


def upper(text: str) -> str:
    """A text in capital letters (ASCII)."""
    return "".join(c.upper() if c.isascii() else c for c in text)


def sort(items: list) -> list:
    """A list in rising order."""
    if not all(_KINDS["int"](i) for i in items) and not all(isinstance(i, str) for i in items):
        raise ToolError("items must all be numbers or all be texts")
    return sorted(items)


def largest(items: list) -> int:
    """The largest number of a list."""
    if not items or not all(_KINDS["int"](i) for i in items):
        raise ToolError("items must be numbers, at least one")
    return max(items)


def total(items: list) -> int:
    """The sum of a list of numbers."""
    if not all(_KINDS["int"](i) for i in items):
        raise ToolError("items must be numbers")
    return sum(items)


TOOLS: dict[str, Callable[..., int | str | list]] = {
    f.__name__: f
    for f in (add, count, divide, largest, length, multiply, reverse, sort, subtract, total, upper)
}


def describe(names: Iterable[str]) -> str:
    """One line per tool, for a system prompt: `add(a: int, b: int): The sum of two numbers.`

    Raises:
        KeyError: an unknown name.
    """
    return "\n".join(
        f"{name}({', '.join(f'{p}: {k}' for p, k in _parameters(name).items())}): "
        f"{inspect.getdoc(TOOLS[name])}"
        for name in names
    )


def _parameters(name: str) -> dict[str, str]:
    return {p: str(v.annotation) for p, v in inspect.signature(TOOLS[name]).parameters.items()}


def execute(call: Call) -> str:
    """Run a call; the result as the tool message says it: a text as it is, else as a literal.

    Raises:
        ToolError: no such tool, other arguments than it takes, or values it has no result for.
    """
    if call.name not in TOOLS:
        raise ToolError(f"no tool {call.name!r}; there are {', '.join(TOOLS)}")
    wanted = _parameters(call.name)
    if set(call.arguments) != set(wanted):
        raise ToolError(f"{call.name} takes {', '.join(wanted)}")
    for name, kind in wanted.items():
        if not _KINDS[kind](call.arguments[name]):
            raise ToolError(f"{call.name}: {name} must be {kind}")
    result = TOOLS[call.name](**call.arguments)
    return result if isinstance(result, str) else repr(result)


def answer(text: str) -> str:
    """The tool message that answers the text of a call: its result, or `error: …`; never raises."""
    try:
        return execute(read(text))
    except (CallError, ToolError) as error:
        return f"error: {error}"
