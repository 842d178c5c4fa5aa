"""keywords: words that must, must not, or must so and so often occur."""

from __future__ import annotations

import re
from collections.abc import Sequence

from regrow.learn.verifiers.ifeval.instruction import (
    COUNT,
    LETTER,
    PATTERN,
    PATTERNS,
    RELATION,
    Instruction,
    compare,
)


def existence(text: str, keywords: Sequence[str]) -> bool:
    """Each keyword occurs, in any case, also inside a word."""
    return all(re.search(keyword, text, re.IGNORECASE) for keyword in keywords)


def frequency(text: str, keyword: str, frequency: int, relation: str) -> bool:
    """The keyword occurs so often, in any case, also inside words."""
    found = len(re.findall(keyword.strip(), text, re.IGNORECASE))
    return compare(found, relation, frequency)


def forbidden_words(text: str, forbidden_words: Sequence[str]) -> bool:
    """None of the words occurs as a whole word."""
    return not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(text: str, letter: str, let_frequency: int, let_relation: str) -> bool:
    """The letter occurs so often, in any case."""
    return compare(text.lower().count(letter.lower()), let_relation, let_frequency)


INSTRUCTIONS = {
    "keywords:existence": Instruction(existence, {"keywords": PATTERNS}),
    "keywords:frequency": Instruction(
        frequency, {"keyword": PATTERN, "frequency": COUNT, "relation": RELATION}
    ),
    "keywords:forbidden_words": Instruction(forbidden_words, {"forbidden_words": PATTERNS}),
    "keywords:letter_frequency": Instruction(
        letter_frequency, {"letter": LETTER, "let_frequency": COUNT, "let_relation": RELATION}
    ),
}
