"""Whether a text may hold an item at all, by few of its n-grams: nearly all texts need no closer look.

As decon does (github.com/allenai/decon, `doc/simple.md`): of a text only every m-th n-gram is looked up among those of the
items, and from a hit on its neighbours, left and right, until they break off. m is as large as it may be: whatever
stretch of words makes an item known (`regrow.data.dedup.items`) has an n-gram at every m-th place of a text. Shorter items are
found by their first words. So a glance never misses what a closer look finds; what it lets through is looked at.

Words are compared without the marks of lists (`regrow.data.dedup.marking`): those of a marked text are the same but for these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.shingles import grams

GRAM = 5
"""words of an n-gram that is looked up, as in decon"""
FIRST = 3
"""words by which a short item is found; one of fewer words by all of them"""
_MASK = np.uint64((1 << 20) - 1)
Numbers = NDArray[np.uint64]
Places = NDArray[np.int64]


class Known:
    """Which of many n-grams are known; nearly all are not, so a table of bits is asked first."""

    def __init__(self, found: Iterable[int]) -> None:
        self.grams = np.array(sorted(set(found)), np.uint64)
        self._table = np.zeros(int(_MASK) + 1, bool)
        self._table[self.grams & _MASK] = True

    def hits(self, found: Numbers) -> Places:
        """Places of known n-grams, ascending."""
        likely = np.flatnonzero(self._table[found & _MASK])
        if not len(likely):
            return likely
        asked = found[likely]
        place = np.minimum(np.searchsorted(self.grams, asked), len(self.grams) - 1)
        return likely[self.grams[place] == asked]


class Beginnings:
    """Where items may begin in a text, and how many words they would have.

    Args:
        words: of the n-grams that items begin with.
        lengths: n-gram -> words of the items that begin with it.
    """

    def __init__(self, words: int, lengths: Mapping[int, Iterable[int]]) -> None:
        self._words = words
        self._known = Known(lengths)
        each = [sorted(lengths[gram]) for gram in self._known.grams.tolist()]
        self._counts = np.array([len(one) for one in each], np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._lengths = np.array([length for one in each for length in one], np.int64)

    def of(self, words: Numbers) -> Iterator[tuple[int, Places]]:
        """Lengths, the longest first, each with the places (ascending) where an item of that length may begin."""
        found = grams(words, self._words)
        places = self._known.hits(found)
        if not len(places):
            return
        at = np.searchsorted(self._known.grams, found[places])
        counts = self._counts[at]
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        lengths = self._lengths[np.repeat(self._firsts[at], counts) + inside]
        places = np.repeat(places, counts)
        fits = places + lengths <= len(words)
        places, lengths = places[fits], lengths[fits]
        order = np.lexsort((places, -lengths))
        places, lengths = places[order], lengths[order]
        for part in np.split(np.arange(len(places)), np.flatnonzero(np.diff(lengths)) + 1):
            if len(part):
                yield int(lengths[part[0]]), places[part]


class Glance:
    """The n-grams by which items are noticed.

    Args:
        stretch: words in a row that a text shares at least with a long item that it holds.
    """

    def __init__(self, stretch: int) -> None:
        self._stretch = stretch
        self._gram = min(GRAM, stretch)
        self._long: set[int] = set()
        self._first: dict[
            int, dict[int, set[int]]
        ] = {}  # words -> n-gram of a beginning -> lengths
        self._whole: dict[int, set[int]] = {}  # words -> items
        self._only: dict[int, set[int]] = {}  # words -> whole texts
        self._ready: tuple[Known, list[Beginnings], dict[int, Known]] | None = None

    def add(self, words: Numbers) -> None:
        """An item that is found where all of its words are."""
        if len(words) >= self._stretch:
            self.add_long(words)
        elif len(words):
            size = min(FIRST, len(words))
            begins = self._first.setdefault(size, {})
            begins.setdefault(int(grams(words[:size], size)[0]), set()).add(len(words))
            self._whole.setdefault(len(words), set()).add(int(grams(words, len(words))[0]))

    def add_long(self, words: Numbers) -> None:
        """An item that is found where some `stretch` of its words is."""
        self._long.update(grams(words, self._gram).tolist())

    def add_text(self, words: Numbers) -> None:
        """An item that is found where a text has no other words."""
        if len(words):
            self._only.setdefault(len(words), set()).add(int(grams(words, len(words))[0]))

    def may_hold(self, words: Numbers) -> bool:
        """Whether a text of these words must be looked at; if not, it holds no item."""
        if self._ready is None:
            self._ready = (
                Known(self._long),
                [Beginnings(size, found) for size, found in sorted(self._first.items())],
                {size: Known(found) for size, found in sorted(self._whole.items())},
            )
        long, first, whole = self._ready
        if not len(words):
            return False
        if (texts := self._only.get(len(words))) and int(grams(words, len(words))[0]) in texts:
            return True
        return self._short_in(words, first, whole) or self._long_in(words, long)

    def _short_in(self, words: Numbers, first: list[Beginnings], whole: dict[int, Known]) -> bool:
        return any(
            len(whole[size].hits(grams(words, size, at)))
            for begins in first
            for size, at in begins.of(words)
        )

    def _long_in(self, words: Numbers, known: Known) -> bool:
        """Look up every m-th n-gram, and from a hit on its neighbours."""
        count = len(words) - self._gram + 1
        step = self._stretch - self._gram + 1
        if count < step or not len(known.grams):
            return False
        places = np.arange(step - 1, count, step)
        hit = places[known.hits(grams(words, self._gram, places))]
        if not len(hit) or step == 1:
            return bool(len(hit))
        # A stretch is `step` n-grams in a row, so the one that was hit has no more than step - 1 on either side.
        around = hit[:, None] + np.arange(1 - step, step)
        inside = (around >= 0) & (around < count)
        asked = grams(words, self._gram, np.clip(around, 0, count - 1).ravel())
        there = np.zeros(around.size, bool)
        there[known.hits(asked)] = True
        there = there.reshape(around.shape) & inside
        left = np.logical_and.accumulate(there[:, step - 2 :: -1], axis=1).sum(axis=1)
        right = np.logical_and.accumulate(there[:, step:], axis=1).sum(axis=1)
        return bool(np.any(left + right + 1 >= step))
