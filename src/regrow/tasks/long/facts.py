"""Facts to be found again: pairs of words, stated in one place of a text and asked for in another.

A fact is `The code word for table is river.`, its question `Question: What is the code word for
table?`, answered by the same sentence. Both words are single tokens of the tokenizer, so that
finding a fact takes one look back and no spelling.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer

from regrow.filters import words
from regrow.numerics.random import Stream

_TOKEN = re.compile("\u0120([a-z]{4,12})")
"""byte-level BPE writes the space as U+0120"""
MIN_COUNT = 20
"""occurrences of a word in the texts"""
COMMONEST = 200
"""so many of the commonest words are no names: `the`, `and`, ..."""


@dataclass(frozen=True)
class Words:
    """Words for facts, in two lists that share none."""

    keys: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """The code word (`value`) of a word (`key`)."""

    key: str
    value: str

    @property
    def statement(self) -> str:
        """One line."""
        return f"The code word for {self.key} is {self.value}.\n"

    @property
    def question(self) -> str:
        """Question and the beginning of its answer; what follows is a space and the value."""
        return (
            f"Question: What is the code word for {self.key}?\n\n"
            f"Answer: The code word for {self.key} is"
        )

    @property
    def answered(self) -> str:
        """Question and answer."""
        return f"{self.question} {self.value}.\n\n"


def vocabulary(tokenizer: Tokenizer, texts: Iterable[str]) -> Words:
    """Words that are one token after a space and occur on their own in the texts often enough.

    Sorted by alphabet; every second one is a key.

    Raises:
        ValueError: fewer than 16 of each.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words.tokens(text.lower()))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    common = {*ranked[:COMMONEST], "code", "word"}
    tokens = (_TOKEN.fullmatch(token) for token in tokenizer.get_vocab())
    able = sorted(
        match[1]
        for match in tokens
        if match and counts[match[1]] >= MIN_COUNT and match[1] not in common
    )
    if len(able) < 32:
        raise ValueError(
            f"only {len(able)} words are tokens of their own and occur {MIN_COUNT} times in the "
            "texts; facts need 32 at least: raise tokenizer.vocabulary or mix.tokens"
        )
    return Words(keys=tuple(able[0::2]), values=tuple(able[1::2]))


def draw(known: Words, n: int, name: tuple[str | int, ...]) -> list[Fact]:
    """n facts with different keys and different values, drawn by `name`."""
    if n > min(len(known.keys), len(known.values)):
        raise ValueError(f"{n} facts wanted, but there are {len(known.keys)} keys only")
    return [
        Fact(key, value)
        for key, value in zip(
            _choice(known.keys, n, (*name, "keys")),
            _choice(known.values, n, (*name, "values")),
            strict=True,
        )
    ]


def _choice(items: tuple[str, ...], n: int, name: tuple[str | int, ...]) -> list[str]:
    """n of the items, without replacement, in random order."""
    ranks = Stream(*name).bits64(len(items)).tolist()
    return [items[i] for i in sorted(range(len(items)), key=lambda i: (ranks[i], i))[:n]]
