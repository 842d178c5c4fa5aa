"""Which units are rerun: a keyed draw that anybody can repeat, and nobody can foresee.

The order of the units is that of one number per unit from a stream named by the seed, the
checkpoint's SHA-256 (which covers its chain of digests, and so the whole run) and the unit. A
forger who knew the seed before he published could forge what is not drawn; so the seed must be
made after publication, and without one it is made here, from the operating system.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from regrow.numerics.random import Stream


def fresh_seed() -> str:
    """A seed that nobody could foresee: 64 bits, as hex."""
    return secrets.token_hex(8)


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
