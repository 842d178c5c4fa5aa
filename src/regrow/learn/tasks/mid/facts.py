"""Retrieval texts that fit a short sequence: real lines with facts between them, all asked for."""

from __future__ import annotations

from collections.abc import Iterator

from tokenizers import Tokenizer

from regrow.learn.tasks.long import facts
from regrow.learn.tasks.long.retrieval import make
from regrow.learn.tasks.long.segments import Source, lines
from regrow.learn.tasks.mid.text import Text, identity
from regrow.numerics.random import Stream

_EMPTY_ROUNDS = 8


def retrieval(
    tokenizer: Tokenizer, passages: list[Text], length: int, number: tuple[int, int], seed: int
) -> Iterator[Text]:
    """Texts of a half to all of `length` tokens, with so many facts, made from the passages in turn.

    Nothing, where the passages hold too few words to make facts of. The same passage may be used
    again, from another line on and with other facts; after `_EMPTY_ROUNDS` rounds in which no
    passage made a text there are no more.
    """
    known = facts.vocabulary(tokenizer, (passage.text for passage in passages))
    sources = [Source(tokenizer, lines(passage.text)) for passage in passages]
    round_, empty = 0, 0
    while empty < _EMPTY_ROUNDS:
        empty += 1
        for passage, source in zip(passages, sources, strict=True):
            name = ("midmix retrieval", seed, passage.id, round_)
            few = int(Stream(*name, "facts").integers(1, number[1] - number[0] + 1)[0])
            room = int(Stream(*name, "length").integers(1, length - length // 2 + 1)[0])
            found = make(
                tokenizer,
                source,
                passage.id,
                known,
                budget=length // 2 + room,
                facts=number[0] + few,
                name=name,
            )
            if found is None:
                continue
            empty = 0
            yield Text(
                id=identity("retrieval", passage.id, round_),
                component="retrieval",
                source=passage.source,
                generator="regrow.learn.tasks.mid.facts",
                licence=passage.licence,
                parent=passage.parent,
                text=found.text,
            )
        round_ += 1
