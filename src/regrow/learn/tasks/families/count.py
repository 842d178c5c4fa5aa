"""How often a letter occurs in three to eight letters, worked letter by letter."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task, spaced
from regrow.learn.tasks.words import WORDS

_WORDINGS = (
    "How many {letter} are in {letters}?",
    "Count the letter {letter} in {letters}.",
    "How often does {letter} occur in {letters}?",
)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def _letters(draws: Draws) -> str:
    """A word, or letters of a small alphabet of their own, in which letters come back."""
    if draws.chance(0.5):
        return draws.of(WORDS)
    few = draws.some(_ALPHABET, draws.between(2, 4))
    return "".join(draws.of(few) for _ in range(draws.between(3, 8)))


def _draw(draws: Draws) -> Task:
    letters = _letters(draws)
    letter = draws.of(letters) if draws.chance(0.85) else draws.of(_ALPHABET)
    # Said again where it is met, and numbered there: to copy is easier than to compare and to carry a sum.
    found, steps = 0, []
    for one in letters:
        found += one == letter
        steps.append(f"{one} {letter} {found}" if one == letter else f"{one} -")
    answer = letters.count(letter)
    return Task(
        content=f"{letter} {''.join(sorted(letters))}",
        instance=f"{letter} {letters}",
        question=draws.of(_WORDINGS).format(letter=letter, letters=spaced(letters)),
        trace=", ".join(steps),
        answer=str(answer),
        verifier="integer",
        arguments={"answer": answer},
        tool_call=f'count(text="{spaced(letters)}", letter="{letter}")',
    )


FAMILY = Family(
    "count",
    "string",
    _draw,
    _WORDINGS,
    {"letter": "[a-z]", "letters": "[a-z](?: [a-z]){2,7}"},
)
