"""The rules of the filters in their simplest form, to compare the fast ones with: one pattern, one line at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from regrow.data.filters.document import Document, Drop
from regrow.data.filters.lines import _CAPITALS, _CUT_WORDS, _CUTS, _DIGITS, _HINTS
from regrow.data.filters.repetition import TOP
from regrow.data.filters.words import _FOREIGN, _LONE, _TOKEN, CHARACTERS_PER_WORD
from regrow.params.data import Filter

_COUNTER = re.compile(
    r"\W*\d[\d,.]*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes"
    r"|downvotes|downloads|views|followers)\W*",
    re.IGNORECASE,
)
_NO_LETTER = re.compile(r"(?<!\S)(?:[^\w\s]|[\d_])+(?!\S)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_INVISIBLE = re.compile("[\u00ad\u034f\u180e\u200b\u2060-\u2064\ufff9-\ufffb]")


def tokens(text: str) -> list[str]:
    """The words of a text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """Number of words of a text."""
    lone = len(_LONE.findall(text))
    return len(_TOKEN.findall(text)) - lone + -(-lone // CHARACTERS_PER_WORD)


def spaced(text: str) -> list[str]:
    """Pieces between white space of the scripts that write spaces."""
    pieces = _FOREIGN.sub(" ", text).split()
    lone = len(_LONE.findall(text))
    return pieces if lone <= CHARACTERS_PER_WORD * len(pieces) else []


def lettered(pieces: list[str]) -> int:
    """How many pieces hold a letter."""
    return len(pieces) - len(_NO_LETTER.findall(" ".join(pieces)))


def tidy(text: str) -> str:
    """As `regrow.data.text.document.tidy`."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", text)
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def unlinked(text: str) -> str:
    """Without the pilcrows of headings."""
    return re.sub(r"[ \t]?¶(?=\s|$)", "", text)


def printed(html: str) -> str:
    """Without characters that no page shows."""
    return re.sub(r"[\x00-\x08\x0b\x0e-\x1f]", "", html)


def ngrams(words: list[str], longest: int, unit: int = 1) -> Iterator[tuple[int, float]]:
    """Yield (n, share of characters covered by repeated n-grams) for n = 2 .. longest.

    Up to `TOP` the covering n-grams are all occurrences of the most frequent one, above it all
    n-grams that occurred before. `unit` tokens make a word. An n-gram repeats only where its first n - 1 words do, so each round
    looks at the places that are left from the round before.
    """
    vocabulary: dict[str, int] = {}
    ids = np.fromiter(
        (vocabulary.setdefault(word, len(vocabulary)) for word in words), np.int64, len(words)
    )
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    before = np.concatenate([[0], np.cumsum(lengths)])
    total = int(before[-1])
    places, names = np.arange(len(words)), ids
    for size in range(2, longest * unit + 1):
        n, between = divmod(size, unit)
        inside = places + size <= len(words)
        places, names = places[inside], names[inside]
        if len(places) == 0 or total == 0:
            if not between and n > 1:
                yield n, 0.0
            continue
        codes = names * len(vocabulary) + ids[places + size - 1]
        _, first, names, times = np.unique(
            codes, return_index=True, return_inverse=True, return_counts=True
        )
        repeated = times[names] > 1
        again = repeated.copy()
        again[first] = False
        cover = places[again]
        places, names = places[repeated], names[repeated]
        if between or n < 2:
            continue
        if n <= TOP and len(places):
            # Frequency first, then length, then the earliest place (places ascend).
            spans = before[places + size] - before[places]
            best = np.lexsort((places, -spans, -times[names]))[0]
            cover = places[names == names[best]]
        yield n, covered(cover, size, lengths) / total


def covered(places: np.ndarray, n: int, lengths: np.ndarray) -> int:
    """Characters of the words that lie in at least one of the n-grams that begin at `places`."""
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.add.at(edges, places, 1)
    np.add.at(edges, places + n, -1)
    return int(lengths[np.cumsum(edges[:-1]) > 0].sum())


def first_repeated(
    words: list[str], limits: dict[int, float], unit: int
) -> tuple[int, float] | None:
    """The first n whose share of repeated n-grams is above its limit, and that share."""
    for n, share in ngrams(words, max(limits), unit):
        if n in limits and share > limits[n]:
            return n, share
    return None


def clean(document: Document, params: Filter) -> Document | Drop:
    """The document without such lines, or a drop if more than the allowed share of words went."""
    kept: list[str] = []
    removed = 0  # words
    for line in document.text.split("\n"):
        shorter = cut(line)
        if shorter is None or junk(shorter, params):
            removed += count(line)
            continue
        if shorter is not line:
            removed += count(line) - count(shorter)
        kept.append(shorter)
    text = "\n".join(kept)
    if text == document.text:
        return document
    share = removed / max(document.word_count, 1)
    if share > params.max_removed_words:
        return Drop("lines.removed_words", share, params.max_removed_words)
    if not text.strip():
        return Drop("empty", 0.0)
    return replace(document, text=text)


def cut(line: str) -> str | None:
    """The line without phrases of page furniture; None if nothing else was in it."""
    if not any(hint in line for hint in _HINTS) or count(line) > _CUT_WORDS:
        return line
    while True:
        shorter = line
        for pattern in _CUTS:
            shorter = pattern.sub(" " if pattern is _CUTS[0] else "", shorter)
        if not shorter.strip():
            return None
        if shorter == line:
            return line
        line = shorter


def junk(line: str, params: Filter) -> bool:
    """Whether a line is mostly capitals, digits, a counter, or has too few words."""
    if not line.strip():
        return False
    if many(line, _CAPITALS, str.isupper, params.max_uppercase_line):
        return True
    if many(line, _DIGITS, str.isdecimal, params.max_numeric_line):
        return True
    if count(line) < params.min_line_words:
        return True
    return _COUNTER.fullmatch(line) is not None


def many(line: str, ascii_: bytes, kind: Callable[[str], bool], share: float) -> bool:
    """Whether more than this share of a line's characters are of a kind (`ascii_`: those in ASCII)."""
    if share >= 1:
        return False
    if line.isascii():
        found = len(line) - len(line.encode("ascii").translate(None, ascii_))
    else:
        found = sum(map(kind, line))
    return found > share * len(line)
