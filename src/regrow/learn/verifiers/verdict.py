"""What a verifier says, and what a verifier is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from regrow.learn.verifiers.response import Response


@dataclass(frozen=True)
class Verdict:
    """Whether a completion passed, and why not."""

    passed: bool
    score: float
    """in [0, 1]; 1 if and only if it passed"""
    reason: str
    """"" if it passed; else one line that begins with a kind: `format: …`, `answer: …`,
    `arguments: …`, `time-out: …`, `error: …`"""


PASSED = Verdict(True, 1.0, "")


def failed(reason: str, score: float = 0.0) -> Verdict:
    """A failed verdict; `score` < 1 is the share of its parts that are right."""
    return Verdict(False, score, reason)


def answered(right: bool, expected: object, found: object) -> Verdict:
    """Passed, or failed for another answer than the expected one."""
    return PASSED if right else failed(f"answer: {short(found)}, expected {short(expected)}")


def short(value: object, width: int = 60) -> str:
    """`value` as one line of at most `width` characters."""
    shown = repr(value)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


class ArgumentsError(ValueError):
    """A task's arguments are not what its verifier needs: the task is wrong, not the answer."""


@dataclass(frozen=True)
class Verifier:
    """A pair of pure functions."""

    check: Callable[[Mapping[str, Any]], None]
    """raises ArgumentsError where a task's arguments are wrong"""
    judge: Callable[[Mapping[str, Any], Response], Verdict]
    """the verdict on a well-formed response, under arguments that passed `check`"""


def need(arguments: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """`arguments[name]`, of the given type (a bool is not an int).

    Raises:
        ArgumentsError: it is missing or of another type.
    """
    if name not in arguments:
        raise ArgumentsError(f"{name} is missing")
    value = arguments[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join(k.__name__ for k in kinds)
        raise ArgumentsError(f"{name} must be {names}, got {short(value)}")
    return value


def only(arguments: Mapping[str, Any], *names: str) -> None:
    """Raises ArgumentsError for an argument that is not among `names`."""
    if unknown := sorted(set(arguments) - set(names)):
        raise ArgumentsError(f"unknown: {', '.join(unknown)}; known: {', '.join(names)}")
