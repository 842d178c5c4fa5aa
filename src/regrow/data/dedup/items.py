"""Looking for items of evaluations, and for tasks, in texts, however short they are.

An item is found by word n-grams of its own length: min(n, its number of words). Longer ones count
from a share of their n-grams on (Olmo 3's measure, `regrow.data.dedup.overlap`), or from `RUN` words in a row
on, so that a page that holds the question of a long item alone is found. Questions inside an item
are looked for by themselves: as in decon (github.com/allenai/decon), the question is what tells.
What says too little (`regrow.data.dedup.telling`) counts only where it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup import marking, telling
from regrow.data.dedup.glance import Beginnings, Glance, Known
from regrow.data.dedup.overlap import References
from regrow.data.dedup.shingles import Shingler, grams

RUN = 13
"""words of a long item in a row that are a leak whatever their share (GPT-3's n: arXiv 2005.14165)"""
_RUN_TELLING = 3
"""words of such a run that are neither common nor numbers: a listing's counters are no quote"""
_RUN_OWNERS = 2
"""items that a run may belong to; what more of them share is their form, not their content"""
_QUESTION_WEIGHT = 8
"""of a question inside an item that is looked for by itself"""
_QUESTION = re.compile(r"[^.!?。！？\n]*[?？]")

Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Item:
    """What no training text may hold."""

    id: str
    text: str
    question: str | None = None
    """a part of the text that must not occur by itself either"""
    exact: bool = False
    """found only as a whole, whatever its length: a task, whose form others share"""


@dataclass(frozen=True)
class Hit:
    """An item in a text."""

    id: str
    value: float
    """share of n-grams in common (1.0: the whole item); of a quote, words in a row"""
    threshold: float
    quote: bool = False


@dataclass(frozen=True)
class Said:
    """A text, read to be searched: marked (`regrow.data.dedup.marking`), its words, and their numbers."""

    text: str
    words: list[str]
    numbers: Numbers


class Reader:
    """Reads texts for all that search them; remembers the words that it has met."""

    def __init__(self) -> None:
        self._shingler = Shingler(1)

    def read(self, text: str) -> Said:
        """The text as it is searched."""
        return self.part(marking.marked(text))

    def part(self, text: str) -> Said:
        """A part of a text that is marked already."""
        words = marking.tokens(text)
        return Said(text, words, self._shingler.numbers(words))

    def unmarked(self, said: Said) -> Numbers:
        """The numbers of the words without marks."""
        return self._shingler.numbers([*map(marking.unmarked, said.words)])


class Items:
    """Items that are looked for in many texts.

    Args:
        items: of one set or several; one without words is never found.
        reader: of these and of the texts.
        n: words of an n-gram, for items of more words.
        limit: share of n-grams in common from which on such an item is found.
    """

    def __init__(self, items: Sequence[Item], reader: Reader, n: int, limit: float) -> None:
        self._ids = [item.id for item in items]
        self._reader, self._n, self._limit = reader, n, limit
        self._places: dict[int, dict[int, int]] = {}  # words -> n-gram -> item
        self._alone: dict[
            int, dict[int, int]
        ] = {}  # words -> n-gram of a whole line or sentence -> item
        self._only: dict[int, dict[int, int]] = {}  # words -> n-gram of a whole text -> item
        self._starts: dict[int, set[int]] = {}  # n-gram of the first words -> words in all
        self._glance = Glance(min(n, RUN))
        long: dict[int, Numbers] = {}
        runs: dict[int, Numbers] = {}
        for place, item in enumerate(items):
            said = reader.read(item.text)
            if item.exact or len(said.numbers) <= n:
                self._add(place, said)
            else:
                self._glance.add_long(reader.unmarked(said))
                long[place] = np.unique(grams(said.numbers, n))
                runs[place] = _runs(said)
            if item.question:
                self._add(place, reader.read(item.question))
        self._add_questions(items)
        empty = np.empty(0, np.uint64)
        self._long = References([long.get(i, empty) for i in range(len(items))])
        self._runs = _Lookup(_telling(runs))
        self._whole = {k: _Lookup(v) for k, v in self._places.items()}
        self._first = Beginnings(telling.LEAST, self._starts)

    def __len__(self) -> int:
        return len(self._ids)

    def may_hold(self, words: Numbers) -> bool:
        """Whether `find` may find an item; False is certain for a text without marks of its own.

        `words`: numbers of the words of the folded text, without marks (`regrow.data.dedup.sequences.Sequences.words`).
        """
        return self._glance.may_hold(words)

    def find(self, said: Said) -> Hit | None:
        """An item that the text holds: a whole one first, then by its share, then by a quote."""
        if not len(said.numbers):
            return None
        place = self._whole_in(said.numbers)
        if place is None:
            place = self._alone_in(said)
        if place is not None:
            return Hit(self._ids[place], 1.0, 1.0)
        value, place = self._long.overlap(np.unique(grams(said.numbers, self._n)))
        if place >= 0 and value >= self._limit:
            return Hit(self._ids[place], value, self._limit)
        return self._quote_in(said.numbers)

    def _add(self, place: int, said: Said) -> None:
        size = len(said.numbers)
        if not size:
            return
        weight = telling.weight(map(marking.bare, said.words))
        gram = _one(said.numbers)
        glance = self._glance.add if weight >= telling.ALONE else self._glance.add_text
        glance(self._reader.unmarked(said))
        if weight >= telling.ANYWHERE and size >= telling.LEAST:
            self._places.setdefault(size, {}).setdefault(gram, place)
            self._starts.setdefault(_one(said.numbers[: telling.LEAST]), set()).add(size)
        elif weight >= telling.ALONE:
            self._alone.setdefault(size, {}).setdefault(gram, place)
        else:
            self._only.setdefault(size, {}).setdefault(gram, place)

    def _add_questions(self, items: Sequence[Item]) -> None:
        """Questions inside items; one that several items ask is their form, and not looked for."""
        found: dict[int, tuple[int, Said]] = {}
        shared: set[int] = set()
        for place, item in enumerate(items):
            for question in () if item.exact else _QUESTION.findall(item.text):
                said = self._reader.read(question)
                if telling.weight(map(marking.bare, said.words)) < _QUESTION_WEIGHT:
                    continue
                gram = _one(said.numbers)
                if found.setdefault(gram, (place, said))[0] != place:
                    shared.add(gram)
        for gram, (place, said) in found.items():
            if gram not in shared:
                self._add(place, said)

    def _whole_in(self, numbers: Numbers) -> int | None:
        for size, at in self._first.of(numbers):  # the longest first
            found = grams(numbers, size, at)
            hits = self._whole[size].hits(found)
            if len(hits):
                return self._whole[size].owner(found[hits[0]])
        return None

    def _alone_in(self, said: Said) -> int | None:
        texts = self._only.get(len(said.numbers))  # else a long text is one n-gram for nothing
        if texts and (place := texts.get(_one(said.numbers))) is not None:
            return place
        for part in marking.alone(said.text) if self._alone else ():
            own = self._reader.part(part).numbers
            if (lines := self._alone.get(len(own))) and (place := lines.get(_one(own))) is not None:
                return place
        return None

    def _quote_in(self, numbers: Numbers) -> Hit | None:
        found = grams(numbers, RUN)
        hits = self._runs.hits(found)
        if not len(hits):
            return None
        stretches = np.split(hits, np.flatnonzero(np.diff(hits) > 1) + 1)
        longest = max(stretches, key=len)
        place = self._runs.owner(found[longest[0]])
        return Hit(self._ids[place], float(len(longest) + RUN - 1), float(RUN), quote=True)


class _Lookup(Known):
    """N-grams that are known, and whose they are."""

    def __init__(self, owners: dict[int, int]) -> None:
        super().__init__(owners)
        self._owners = owners

    def owner(self, gram: np.uint64) -> int:
        """Whose a known n-gram is."""
        return self._owners[int(gram)]


def _one(numbers: Numbers) -> int:
    """The n-gram of all the words (at least one)."""
    return int(grams(numbers, len(numbers))[0])


def _runs(said: Said) -> Numbers:
    """The n-grams of `RUN` words that say enough."""
    if len(said.words) < RUN:
        return np.empty(0, np.uint64)
    tell = np.array([telling.tells(marking.bare(word)) for word in said.words], np.int64)
    totals = np.convolve(tell, np.ones(RUN, np.int64), "valid")
    return np.unique(grams(said.numbers, RUN)[totals >= _RUN_TELLING])


def _telling(runs: dict[int, Numbers]) -> dict[int, int]:
    """Runs that few items share, with the first item that has them."""
    if not runs:
        return {}
    every, counts = np.unique(np.concatenate(list(runs.values())), return_counts=True)
    few = set(every[counts <= _RUN_OWNERS].tolist())
    owners: dict[int, int] = {}
    for place, own in runs.items():
        for gram in own.tolist():
            if gram in few:
                owners.setdefault(gram, place)
    return owners
