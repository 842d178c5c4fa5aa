"""Which units are rerun: a keyed draw that anybody can repeat, and nobody can foresee.

The order of the units is that of one number per unit from a stream named by the seed, the
checkpoint's SHA-256 (which covers its chain of digests, and so the whole run) and the unit. A
forger who knew the seed before he published could forge what is not drawn; so the seed must be
made after publication, and without one it is made here, from the operating system.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regrow.evidence.errors import Unanswerable
from regrow.numerics.random import Stream
from regrow.prove.segments import odds

if TYPE_CHECKING:
    from regrow.prove.segments.units import Kind


def fresh_seed() -> str:
    """A seed that nobody could foresee: 64 bits, as hex."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Sample:
    """Which units of a run somebody wants to see rerun."""

    kind: Kind
    seed: str
    share: float
    """of the units, forged: what is to be caught"""
    wanted: float
    """the odds of that"""
    count: int | None = None
    """None: as many as it takes"""
    stretch: bool = False
    """instead: the fewest that catch every unbroken forgery of `share` for certain"""

    def wrong(self, population: int) -> int:
        """How many units the forgery is. Raises ValueError: no such share."""
        return odds.forged(population, self.share)

    def of(self, names: Sequence[str], checkpoint: str) -> list[int]:
        """Indices of the units that are drawn of a checkpoint with that SHA-256, sorted.

        Raises:
            Unanswerable: numbers that make no sense.
        """
        population, count = len(names), self.count
        try:
            wrong = self.wrong(population)
            if count is None:
                count = odds.needed(population, wrong, self.wanted)
        except ValueError as error:
            raise Unanswerable(f"--catch and --odds: {error}.") from None
        if count < 1:
            raise Unanswerable(f"--segments {count}: draw at least one.")
        if self.stretch:
            return comb(population, wrong, checkpoint=checkpoint, seed=self.seed)
        return draw(names, count, checkpoint=checkpoint, seed=self.seed)


def draw(names: Sequence[str], count: int, *, checkpoint: str, seed: str) -> list[int]:
    """Indices of `count` of the units called `names`, sorted; all where there are no more.

    A unit's place in the order depends on its own name, not on the others'.
    """
    ranks = [
        (int(Stream("verify", seed, checkpoint, name).bits64(1)[0]), name, index)
        for index, name in enumerate(names)
    ]
    return sorted(index for _, _, index in sorted(ranks)[:count])


def comb(total: int, stretch: int, *, checkpoint: str, seed: str) -> list[int]:
    """Indices of every `stretch`-th of `total` units in the order of training, from a drawn start.

    Every unbroken stretch of that many units holds one of them. The start is uniform over the
    first `stretch` indices, so each unit is as likely to be drawn as any other.
    """
    start = int(Stream("verify comb", seed, checkpoint).integers(1, stretch)[0])
    return list(range(start, total, stretch))
