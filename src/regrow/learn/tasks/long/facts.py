"""Facts to be found again: pairs of words, stated in one place of a text and asked for in another.

A fact is `The code word for table is river.`, its question `Question: What is the code word for
table?`, answered by the same sentence. Both words are single tokens of the tokenizer (where it has
enough of them), so that finding a fact takes one look back and no spelling.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer

from regrow.data.filters import words
from regrow.data.tokens import bpe
from regrow.numerics.random import Stream

_WORD = re.compile(r"[a-z]{4,12}")
MIN_COUNT = 20
"""occurrences of a word in the texts"""
COMMONEST = 200
"""so many of the commonest words are no names: `with`, `which`, ..."""
FEWEST = 64
"""words wanted: where so many are not tokens of their own, longer ones are taken as well"""


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
    def tail(self) -> str:
        """The statement from the value on."""
        return f" {self.value}.\n"

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
    """Words that occur on their own in the texts often enough, and are one token after a space.

    A small vocabulary has few of those; then the words of fewest tokens are taken. Both lists are
    sorted.

    Raises:
        ValueError: fewer than 32 words in all.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words.tokens(text.lower()))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    common = {*ranked[:COMMONEST], "code", "word"}
    able = [word for word in ranked if _WORD.fullmatch(word) and word not in common]
    encoded = bpe.encode(tokenizer, [f" {word}" for word in able])
    cost = {word: len(tokens) for word, tokens in zip(able, encoded, strict=True)}
    chosen = [word for word in able if cost[word] == 1 and counts[word] >= MIN_COUNT]
    if len(chosen) < FEWEST:
        chosen = sorted(able, key=lambda word: (cost[word], -counts[word], word))[:FEWEST]
    if len(chosen) < 32:
        raise ValueError(
            f"the long documents hold only {len(chosen)} words for facts, which need 32: raise "
            "mix.tokens or lower longcontext_data.min_tokens"
        )
    chosen.sort()
    return Words(
        keys=tuple(word for word in chosen if _is_key(word)),
        values=tuple(word for word in chosen if not _is_key(word)),
    )


def _is_key(word: str) -> bool:
    """By a hash, so that a word is a key in every mix or in none."""
    return hashlib.sha256(f"fact {word}".encode()).digest()[0] % 2 == 0


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
