"""A word, two to five times, and then stop."""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task
from regrow.learn.tasks.words import WORDS

_WORDINGS = (
    "Repeat the word {word} {n} times.",
    "Write {word} {n} times.",
    "Say {word} {n} times and then stop.",
)
_SHORT = tuple(word for word in WORDS if len(word) <= 6)


def _draw(draws: Draws) -> Task:
    word, n = draws.of(_SHORT), draws.between(2, 5)
    worked = ", ".join(f"{i} {word}" for i in range(1, n + 1))
    return Task(
        content=f"{n} {word}",
        instance=f"{n} {word}",
        question=draws.of(_WORDINGS).format(word=word, n=n),
        trace=worked,
        answer=" ".join([word] * n),
        verifier="repeat",
        arguments={"word": word, "n": n},
    )


FAMILY = Family("repeat", "instruction", _draw, _WORDINGS, {"word": "[a-z]{1,6}", "n": "[2-5]"})
