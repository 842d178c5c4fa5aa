"""length_constraints: how many words, sentences and paragraphs, and how one of them begins."""

from __future__ import annotations

import re

from regrow.learn.verifiers.ifeval.instruction import COUNT, RELATION, Instruction, Kind, compare
from regrow.learn.verifiers.ifeval.tokenize import sentences

_ENDS_A_WORD = frozenset(".,?!'\"")
WORD: Kind = (
    "one word, without spaces and none of .,?!'\", at which a word ends",
    lambda v: isinstance(v, str) and re.fullmatch(r"[^\s.,?!'\"]{1,200}", v) is not None,
)


def number_words(text: str, num_words: int, relation: str) -> bool:
    r"""So many runs of word characters (`\w+`)."""
    return compare(len(re.findall(r"\w+", text)), relation, num_words)


def number_sentences(text: str, num_sentences: int, relation: str) -> bool:
    """So many sentences, as Punkt splits English."""
    return compare(len(sentences(text)), relation, num_sentences)


def number_paragraphs(text: str, num_paragraphs: int) -> bool:
    """Exactly so many paragraphs between dividers `***`; only the first and last may be empty."""
    parts = re.split(r"\s?\*\*\*\s?", text)
    if any(not part.strip() for part in parts[1:-1]):
        return False
    return sum(bool(part.strip()) for part in parts) == num_paragraphs


def nth_paragraph_first_word(
    text: str, num_paragraphs: int, nth_paragraph: int, first_word: str
) -> bool:
    """Exactly so many paragraphs between blank lines, of which the nth begins with the word."""
    paragraphs = text.split("\n\n")
    count = sum(bool(paragraph.strip()) for paragraph in paragraphs)
    # Empty ones count where the nth is looked up, not in the number: so does the original.
    if nth_paragraph > count or not (words := paragraphs[nth_paragraph - 1].split()):
        return False
    word = words[0].lstrip("'").lstrip('"')
    end = next((at for at, sign in enumerate(word) if sign in _ENDS_A_WORD), len(word))
    return count == num_paragraphs and word[:end].lower() == first_word.lower()


INSTRUCTIONS = {
    "length_constraints:number_words": Instruction(
        number_words, {"num_words": COUNT, "relation": RELATION}
    ),
    "length_constraints:number_sentences": Instruction(
        number_sentences, {"num_sentences": COUNT, "relation": RELATION}
    ),
    "length_constraints:number_paragraphs": Instruction(
        number_paragraphs, {"num_paragraphs": COUNT}
    ),
    "length_constraints:nth_paragraph_first_word": Instruction(
        nth_paragraph_first_word,
        {"num_paragraphs": COUNT, "nth_paragraph": COUNT, "first_word": WORD},
    ),
}
