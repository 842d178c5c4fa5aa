"""Which documents hold which word: an inverted index that fits in a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from regrow.publish.explorer import codec

SHORTEST, LONGEST = 3, 24
"""characters of a word that is looked up"""
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},{LONGEST}}}")


@dataclass(frozen=True)
class Words:
    """The index, packed (see codec): `postings` has per word the number of documents and their numbers."""

    vocabulary: str
    postings: str
    count: int
    common: int
    """words left out because more than half of the documents hold them"""
    rare: int = 0
    """words left out for want of room, those of one document first"""


def split(text: str) -> set[str]:
    """The words of a text in lower case."""
    lower = unicodedata.normalize("NFC", text).lower()
    return {word for word in _WORD.findall(lower) if not any(c.isdigit() for c in word)}


def index(texts: Sequence[str], room: int) -> Words:
    """Index `texts` by their place, in at most about `room` bytes: rarer words go first."""
    held: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for word in split(text):
            held.setdefault(word, []).append(number)
    wanted = [word for word in sorted(held) if 2 * len(held[word]) <= max(len(texts), 2)]
    common = len(held) - len(wanted)
    least = 1
    while True:
        kept = [word for word in wanted if len(held[word]) >= least]
        vocabulary = codec.words(kept)
        postings = "".join(
            codec.numbers([len(held[word])]) + codec.rising(held[word]) for word in kept
        )
        if not kept or len(vocabulary.encode()) + len(postings) <= room:
            return Words(vocabulary, postings, len(kept), common, len(wanted) - len(kept))
        least += 1
