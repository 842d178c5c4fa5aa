"""Exactly two to four words that start with a letter, most often without one that is named.

A letter and a number alone make about a hundred contents, too few to measure by. The word that
must not be used is part of the content: an answer that is right for one question is wrong for
another.
"""

from __future__ import annotations

from regrow.learn.tasks.draws import Draws
from regrow.learn.tasks.families.family import Family, Task
from regrow.learn.tasks.words import BY_LETTER

_WORDINGS = (
    "Write {n} words that start with {letter}{but}.",
    "Give {n} words with {letter} as the first letter{but}.",
    "List exactly {n} words that begin with {letter}{but}.",
)
_MOST = 4
_CORE: dict[str, tuple[str, ...]] = {
    letter: tuple(sorted(words, key=lambda word: (len(word), word))[:8])
    for letter, words in BY_LETTER.items()
}
"""the shortest words of a letter: what worked answers are made of, few enough to be learned"""
_LETTERS = tuple(letter for letter, words in BY_LETTER.items() if len(words) > 8)
_BARE = 0.1
"""share of questions that name no word"""


def _draw(draws: Draws) -> Task:
    letter, n = draws.of(_LETTERS), draws.between(2, _MOST)
    named = draws.of(_CORE[letter] if draws.chance(0.5) else BY_LETTER[letter])
    without = None if draws.chance(_BARE) else named
    allowed = [word for word in BY_LETTER[letter] if word != without]
    # The first of a list in a fixed order: each word calls for the next, and none comes twice.
    chosen = sorted(word for word in _CORE[letter] if word != without)[:n]
    content = f"{n} {letter} {without or ''}".strip()
    return Task(
        content=content,
        instance=content,
        question=draws.of(_WORDINGS).format(
            n=n, letter=letter, but=f", but not {without}" if without else ""
        ),
        trace=", ".join(f"{i} {word}" for i, word in enumerate(chosen, start=1)),
        answer=" ".join(chosen),
        verifier="words_start",
        arguments={"n": n, "letter": letter, "words": allowed},
    )


FAMILY = Family(
    "words",
    "instruction",
    _draw,
    _WORDINGS,
    {"n": "[2-4]", "letter": "[a-z]", "but": "(?:, but not [a-z]+)?"},
)
