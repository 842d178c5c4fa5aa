"""Two to four two-digit numbers in rising order, worked by taking the smallest that is left."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task

_WORDINGS = (
    "Sort {}.",
    "Put {} in rising order.",
    "Order these numbers from small to large: {}.",
)
_LENGTHS = (2, 2, 3, 3, 4)


def _draw(draws: Draws) -> Task:
    numbers = draws.some(range(10, 100), draws.of(_LENGTHS))
    said = ", ".join(map(str, numbers))
    lines, left = [], list(numbers)
    while len(left) > 1:
        lines.append(f"of {', '.join(map(str, left))}: {min(left)}")
        left.remove(min(left))
    answer = ", ".join(map(str, sorted(numbers)))
    return Task(
        content=answer,
        instance=said,
        question=draws.of(_WORDINGS).format(said),
        trace="\n".join(lines),
        answer=answer,
        verifier="exact",
        arguments={"answer": answer},
        tool_call=f"sort(items=[{said}])",
    )


FAMILY = Family("sort", "math", _draw, _WORDINGS, {"": "[1-9][0-9](?:, [1-9][0-9]){1,3}"})
