"""Documents as pieces of at most one sequence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrow.numerics.random import Stream

MIN_PIECE = 32
"""tokens: a shorter rest of a longer document is left out"""

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class Piece:
    """Consecutive tokens of a document, its end-of-document token included where it ends."""

    id: str
    component: str
    offset: int
    """tokens of the document before this piece"""
    tokens: Tokens


def cut(identity: str, component: str, tokens: Tokens, length: int) -> list[Piece]:
    """A document (its end-of-document token included) as full sequences and a rest."""
    starts = range(0, len(tokens), length)
    return [
        Piece(identity, component, start, tokens[start : start + length])
        for start in starts
        if start == 0 or len(tokens) - start >= MIN_PIECE
    ]


def keyed(ids: Sequence[str], key: str) -> list[str]:
    """Ids in the order of a hash of key and id: one more or less leaves the others' order."""
    return sorted(ids, key=lambda i: (hashlib.sha256(f"{key} {i}".encode()).digest(), i))


def draw(
    documents: Mapping[str, Tokens], component: str, *, length: int, at_once: int, seed: int
) -> Iterator[Piece]:
    """Pieces of the documents, as many as are asked for, none twice.

    Round after round over the documents in a keyed order; in each round a document gives up to
    `at_once` neighbouring pieces, the first time from a place drawn at random. So many
    documents are seen before much of one.
    """
    order = keyed(list(documents), f"longmix {component} {seed}")
    pieces = {i: cut(i, component, documents[i], length) for i in order}

    def place(identity: str) -> int:
        n = len(pieces[identity])
        stream = Stream("longmix window", component, seed, identity)
        return int(stream.integers(1, n)[0]) if n > 1 else 0

    first = {identity: place(identity) for identity in order}
    done = dict.fromkeys(order, 0)
    while order:
        for identity in order:
            own = pieces[identity]
            for _ in range(min(at_once, len(own) - done[identity])):
                yield own[(first[identity] + done[identity]) % len(own)]
                done[identity] += 1
        order = [i for i in order if done[i] < len(pieces[i])]
