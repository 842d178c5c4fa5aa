"""Needles in held-out text: one fact, or several of which one is asked for.

Distances are drawn at random, never from a list: rotary positions make a model good at some
distances and bad at others, and a few fixed ones would measure that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tokenizers import Tokenizer

from regrow.data.tokens import bpe
from regrow.learn.tasks.long.facts import Words, draw
from regrow.learn.tasks.long.retrieval import start_of, weave
from regrow.learn.tasks.long.segments import Source, fill, segments, size
from regrow.numerics.random import Stream

KINDS = {"needle": 1, "multi_needle": 8}
"""kind -> facts in the text"""


@dataclass(frozen=True)
class Needle:
    """A prompt, its answer, and how far back the answer stands."""

    kind: str
    distance: int
    """tokens from the beginning of the value in the text to that of the value in the answer"""
    prompt: list[int]
    answer: list[int]
    """the value: one token, where the vocabulary allows"""
    arguments: str
    """JSON: document, facts, key, value, values (of all facts), value_tokens (theirs)"""


def make(
    tokenizer: Tokenizer,
    documents: Mapping[str, Source],
    known: Words,
    *,
    kind: str,
    length: int,
    name: tuple[str | int, ...],
) -> Needle | None:
    """A prompt that with its answer fills nearly `length` tokens; None where the text is too short.

    Document, place in it, facts and their places are drawn by `name`.
    """
    ids = sorted(documents)
    parent = ids[int(Stream(*name, "document").integers(1, len(ids))[0])]
    source = documents[parent]
    facts = draw(known, KINDS[kind], name)
    target = facts[int(Stream(*name, "asked").integers(1, len(facts))[0])]
    stated = segments(tokenizer, [fact.statement for fact in facts])
    values = [v.tolist() for v in bpe.encode(tokenizer, [f" {fact.value}" for fact in facts])]
    asked, answer, tail = (
        tokens.tolist()
        for tokens in bpe.encode(tokenizer, [target.question, f" {target.value}", target.tail])
    )
    room = length - size(stated) - len(asked) - len(answer)
    if room < length // 4:
        return None
    filler, _ = fill(source, start_of(source, name), room)
    if 4 * size(filler) < 3 * room:
        return None
    woven = weave(filler, stated, name)
    prompt = [token for part in woven.parts for token in part.tokens] + asked
    arguments = {
        "document": parent,
        "facts": len(facts),
        "key": target.key,
        "value": target.value,
        "values": [fact.value for fact in facts],
        "value_tokens": values,
    }
    return Needle(
        kind=kind,
        distance=len(prompt) - (woven.ends[facts.index(target)] - len(tail)),
        prompt=prompt,
        answer=answer,
        arguments=json.dumps(arguments, sort_keys=True),
    )
