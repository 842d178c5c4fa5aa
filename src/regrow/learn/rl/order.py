"""Which prompt stands at which position of a run of reinforcement learning: a function, no state.

Step s (from 1) may take the positions (s - 1) r .. s r - 1, where r is the number of prompts of
a batch times its rounds; what it does not take is passed over, so that no step depends on how many
refills the steps before it needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from regrow.data.tokens.order import Order
from regrow.learn.rl.prompts import Prompt


class Pools:
    """Prompts in pools, each with its share of the positions."""

    def __init__(self, prompts: Sequence[Prompt], domains: Mapping[str, float], key: str) -> None:
        """A pool for every family in `domains`, and one for all others together.

        Within a pool the order is a keyed permutation, with another key in every epoch.

        Raises:
            ValueError: a share without prompts, or shares above 1, or below 1 with no other prompt.
        """
        families = {prompt.family for prompt in prompts}
        if unknown := sorted(set(domains) - families):
            raise ValueError(
                f"domains: no prompt of {', '.join(unknown)}; there are {', '.join(sorted(families))}"
            )
        # As written: 0.1 is a tenth, not the double next to it.
        shares = {name: Fraction(str(share)) for name, share in sorted(domains.items())}
        rest = 1 - sum(shares.values(), Fraction(0))
        others = [prompt for prompt in prompts if prompt.family not in domains]
        if rest < 0 or min(shares.values(), default=Fraction(1)) <= 0:
            raise ValueError(f"domains: shares must be positive and sum to at most 1: {domains}")
        if (rest > 0) != bool(others):
            why = "leave nothing for the other families" if others else "sum to less than 1"
            raise ValueError(f"domains: the shares {why}: {dict(domains)}")
        pools = {name: [p for p in prompts if p.family == name] for name in shares}
        if others:
            pools["*"] = others
            shares["*"] = rest
        self._pools = pools
        self._shares = shares
        self._orders = {name: Order(len(pool), 0, f"{key} {name}") for name, pool in pools.items()}
        self._pattern: list[tuple[str, int]] = []
        self._used = dict.fromkeys(pools, 0)

    def at(self, position: int) -> Prompt:
        """The prompt at a position.

        Position p goes to the pool that is furthest behind its share of p + 1 positions, the first
        by name among equals; every pool gives its prompts in its own order.
        """
        while len(self._pattern) <= position:
            count = len(self._pattern) + 1
            name = max(
                sorted(self._pools), key=lambda pool: self._shares[pool] * count - self._used[pool]
            )
            self._pattern.append((name, self._used[name]))
            self._used[name] += 1
        name, number = self._pattern[position]
        return self._pools[name][int(self._orders[name].at(number)[0])]
