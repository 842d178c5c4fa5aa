"""Real text with facts between its lines, and every fact asked for at the end.

All facts are asked, and their places are drawn at random, each on its own: with one question
per text, or at fixed distances, a model learns to fetch some fact, not the one asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from regrow.learn.tasks.long.facts import Fact, Words, draw
from regrow.learn.tasks.long.segments import Made, Segment, Source, fill, segments, size
from regrow.numerics.random import Stream


@dataclass(frozen=True)
class Woven:
    """Text with facts between its lines."""

    parts: list[Segment]
    ends: list[int]
    """number of tokens up to the end of each fact's statement, in the order of the facts"""


def weave(
    filler: list[Segment], stated: list[Segment], name: tuple[str | int, ...], last: int = 0
) -> Woven:
    """Put each statement between two lines of the filler, at places drawn at random by tokens.

    A place is uniform over the filler's tokens without the `last` ones, moved to the end of the
    line that it hits; statements at the same place keep their order.
    """
    total = size(filler)
    draws = Stream(*name, "places").integers(len(stated), max(1, total + 1 - last)).tolist()
    at: list[list[int]] = [[] for _ in range(len(filler) + 1)]
    for fact, place in enumerate(draws):
        passed = 0
        line = 0
        while passed < place:
            passed += len(filler[line].tokens)
            line += 1
        at[line].append(fact)
    parts: list[Segment] = []
    ends = [0] * len(stated)
    length = 0
    for line, here in enumerate(at):
        for fact in here:
            parts.append(stated[fact])
            length += len(stated[fact].tokens)
            ends[fact] = length
        if line < len(filler):
            parts.append(filler[line])
            length += len(filler[line].tokens)
    return Woven(parts, ends)


def start_of(source: Source, name: tuple[str | int, ...]) -> int:
    """Where in the source to begin: any line, drawn at random."""
    return int(Stream(*name, "start").integers(1, max(1, len(source)))[0])


def make(
    tokenizer: Tokenizer,
    source: Source,
    parent: str,
    known: Words,
    *,
    budget: int,
    facts: int,
    name: tuple[str | int, ...],
) -> Made | None:
    """A document of at most `budget` tokens from `source`, with so many facts, all asked.

    None if the facts leave less than a quarter of it for text, or the source has too little text
    behind the place drawn.
    """
    drawn = draw(known, facts, name)
    stated = segments(tokenizer, [fact.statement for fact in drawn])
    order = Stream(*name, "order").integers(facts, 1 << 32).tolist()
    asked: list[Fact] = [fact for _, fact in sorted(zip(order, drawn, strict=True), key=_first)]
    questions = segments(tokenizer, [fact.answered for fact in asked])
    room = budget - size(stated) - size(questions)
    if room < budget // 4:
        return None
    filler, _ = fill(source, start_of(source, name), room)
    if 2 * size(filler) < room:
        return None
    parts = weave(filler, stated, name).parts + questions
    tokens = tuple(token for part in parts for token in part.tokens)
    return Made("".join(part.text for part in parts), tokens, parent)


def _first(pair: tuple[int, Fact]) -> tuple[int, str]:
    return pair[0], pair[1].key
