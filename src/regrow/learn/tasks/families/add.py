"""Sums of two to four single digits, worked from left to right."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task

_WORDINGS = ("What is {}?", "Compute {}.", "Add up {}.", "{} is how much?")
_LENGTHS = (2, 3, 3, 4, 4, 4, 4)
"""terms; longer sums have more contents, so they are drawn more often"""


def _draw(draws: Draws) -> Task:
    terms = [draws.between(1, 9) for _ in range(draws.of(_LENGTHS))]
    chain = " + ".join(map(str, terms))
    lines, so_far = [], terms[0]
    for term in terms[1:]:
        lines.append(f"{so_far} + {term} = {so_far + term}")
        so_far += term
    return Task(
        content=" ".join(map(str, sorted(terms))),
        instance=chain,
        question=draws.of(_WORDINGS).format(chain),
        trace="\n".join(lines),
        answer=str(so_far),
        verifier="integer",
        arguments={"answer": so_far},
        tool_call=f"total(items=[{', '.join(map(str, terms))}])",
    )


FAMILY = Family("add", "math", _draw, _WORDINGS, {"": r"[1-9](?: \+ [1-9]){1,3}"})
