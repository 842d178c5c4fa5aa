"""change_case: all capital letters, all small ones, or so many words in capitals."""

from __future__ import annotations

from regrow.learn.verifiers.ifeval.instruction import COUNT, RELATION, Instruction, compare
from regrow.learn.verifiers.ifeval.language import identify
from regrow.learn.verifiers.ifeval.tokenize import words


def capital_word_frequency(text: str, capital_frequency: int, capital_relation: str) -> bool:
    """So many words in capitals only, as the Treebank tokenizer splits words."""
    found = sum(word.isupper() for word in words(text))
    return compare(found, capital_relation, capital_frequency)


def english_capital(text: str) -> bool:
    """No small letters, and English (or in no language that can be told)."""
    return text.isupper() and identify(text) in ("en", "")


def english_lowercase(text: str) -> bool:
    """No capital letters, and English (or in no language that can be told)."""
    return text.islower() and identify(text) in ("en", "")


INSTRUCTIONS = {
    "change_case:capital_word_frequency": Instruction(
        capital_word_frequency, {"capital_frequency": COUNT, "capital_relation": RELATION}
    ),
    "change_case:english_capital": Instruction(english_capital, language=True),
    "change_case:english_lowercase": Instruction(english_lowercase, language=True),
}
