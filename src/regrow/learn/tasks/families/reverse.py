"""Three to six letters backwards."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task, spaced
from regrow.learn.tasks.words import WORDS

_WORDINGS = (
    "Reverse the letters {}.",
    "Write {} backwards.",
    "What is {} from the last letter to the first?",
)
_SHORT = tuple(word for word in WORDS if len(word) <= 6)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _letters(draws: Draws) -> str:
    if draws.chance(0.5):
        return draws.of(_SHORT)
    return "".join(draws.of(_ALPHABET) for _ in range(draws.between(3, 6)))


def _draw(draws: Draws) -> Task:
    letters = _letters(draws)
    backwards = letters[::-1]
    numbered = [f"{i} {one}" for i, one in enumerate(letters, start=1)]
    worked = ", ".join(numbered) + "\n" + ", ".join(reversed(numbered))
    return Task(
        content=min(letters, backwards),
        instance=letters,
        question=draws.of(_WORDINGS).format(spaced(letters)),
        trace=worked,
        answer=spaced(backwards),
        verifier="exact",
        arguments={"answer": spaced(backwards)},
        tool_call=f'reverse(text="{spaced(letters)}")',
    )


FAMILY = Family("reverse", "string", _draw, _WORDINGS, {"": "[a-z](?: [a-z]){2,5}"})
