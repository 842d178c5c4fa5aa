"""N-grams of many texts in bounded memory: the numbers of words are remembered until there are too many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.items import Reader
from regrow.data.dedup.shingles import Shingler

REMEMBERED = 1 << 17
"""words (about 200 bytes each); a corpus of code and listings has no end of them, most of them met once"""


class Forgetful(Shingler):
    """A `Shingler` that forgets all words once it has met very many: the n-grams are the same.

    Args:
        n: words of an n-gram.
        like: another one, whose memory it shares.
    """

    def __init__(self, n: int, like: Forgetful | None = None) -> None:
        super().__init__(n)
        if like is not None:
            self._words = like._words

    def numbers(self, words: Sequence[str]) -> NDArray[np.uint64]:
        """Numbers of words, in order."""
        if len(self._words) > REMEMBERED:
            self._words.clear()
        return super().numbers(words)

    @property
    def held(self) -> int:
        """Words that it remembers now."""
        return len(self._words)


class ForgetfulReader(Reader):
    """A `Reader` whose memory is that of a `Forgetful` shingler."""

    def __init__(self, shingler: Forgetful) -> None:
        super().__init__()
        self._shingler = Forgetful(1, like=shingler)
