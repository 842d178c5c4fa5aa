"""Documents as lines, tokenised one by one.

A line here includes the newlines that follow it. A token never spans the place behind them
(`regrow.data.tokens.bpe.PATTERN`), so the tokens of lines put one behind the other are the
tokens of the text that they make: lengths add up, and something can be put between two lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tokenizers import Tokenizer

from regrow.data.tokens import bpe

_BLOCK = 32
_LINE = re.compile(r"[^\n]+\n*")


@dataclass(frozen=True)
class Segment:
    """A piece of text that ends with a newline, and its tokens."""

    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Made:
    """A document made from a real one."""

    text: str
    tokens: tuple[int, ...]
    """without the end-of-document token"""
    parent: str
    """id of the real document"""


def segments(tokenizer: Tokenizer, texts: list[str]) -> list[Segment]:
    """Texts that each end with a newline and begin with something else, tokenised."""
    encoded = bpe.encode(tokenizer, texts)
    return [Segment(t, tuple(e.tolist())) for t, e in zip(texts, encoded, strict=True)]


def lines(text: str) -> list[str]:
    """The lines of a text with the newlines that follow; the last one ends with one too."""
    found = [line for line in _LINE.findall(text.replace("\r", "")) if line.strip()]
    if found and not found[-1].endswith("\n"):
        found[-1] += "\n"
    return found


def size(parts: list[Segment]) -> int:
    """Tokens of segments."""
    return sum(len(part.tokens) for part in parts)


@dataclass
class Source:
    """The lines of a document, tokenised where they are looked at."""

    tokenizer: Tokenizer
    texts: list[str]
    _known: dict[int, Segment] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, i: int) -> Segment:
        """Line i."""
        if i not in self._known:
            block = range(i, min(i + _BLOCK, len(self.texts)))
            found = segments(self.tokenizer, [self.texts[j] for j in block])
            self._known.update(zip(block, found, strict=True))
        return self._known[i]


def fill(source: Source, start: int, budget: int) -> tuple[list[Segment], int]:
    """Lines of `source` from `start` on that fit `budget` tokens together, and where to go on.

    A line longer than a quarter of the budget is passed over; the first that does not fit ends
    it.
    """
    chosen: list[Segment] = []
    left = budget
    at = start
    while at < len(source):
        part = source[at]
        if 4 * len(part.tokens) <= budget:
            if len(part.tokens) > left:
                break
            chosen.append(part)
            left -= len(part.tokens)
        at += 1
    return chosen, at
