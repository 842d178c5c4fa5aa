"""The larger of two numbers from 1 to 999, worked digit by digit."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task

_WORDINGS = (
    "Which is larger, {} or {}?",
    "Give the larger of {} and {}.",
    "Which number is bigger: {} or {}?",
)
_RANGES = ((1, 9), (10, 99), (10, 99), (10, 99), (100, 999), (100, 999), (100, 999))
"""one digit is rare: there are few pairs of such numbers"""


def _number(draws: Draws) -> int:
    low, high = draws.of(_RANGES)
    return draws.between(low, high)


def _trace(a: str, b: str) -> str:
    said = f"{a}, {b}: "
    if len(a) != len(b):
        return f"{said}{len(a)} {'<' if len(a) < len(b) else '>'} {len(b)} digits"
    steps = []
    for x, y in zip(a, b, strict=True):
        sign = "=" if x == y else "<" if x < y else ">"
        steps.append(f"{x} {sign} {y}")
        if x != y:
            break
    return said + ", ".join(steps)


def _draw(draws: Draws) -> Task:
    a = _number(draws)
    b = _number(draws)
    if a == b:
        b = a - 1 if a > 1 else a + 1
    answer = max(a, b)
    return Task(
        content=f"{min(a, b)} {answer}",
        instance=f"{a} {b}",
        question=draws.of(_WORDINGS).format(a, b),
        trace=_trace(str(a), str(b)),
        answer=str(answer),
        verifier="integer",
        arguments={"answer": answer},
        tool_call=f"largest(items=[{a}, {b}])",
    )


FAMILY = Family("larger", "math", _draw, _WORDINGS, {"": "[1-9][0-9]{0,2}"})
