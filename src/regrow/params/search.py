"""The search for a mix: small models on drawn mixtures, a law for each evaluation, the best mixture by it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from regrow.params.base import Block
from regrow.params.proxy import Proxy, Scored

By = Literal["topic", "source", "source/topic"]
"""what makes a domain: the documents of one topic, of one source, or of one topic of one source"""
Strength = Annotated[float, Field(gt=0)]


def _ascending(strength: tuple[float, float] | None) -> None:
    if strength and strength[0] > strength[1]:
        low, high = strength
        raise ValueError(f"strength: the first ({low}) must not exceed the second ({high})")


class Round(Block):
    """Some proxies over some domains. Further domains get a further round: the proxies before stay what they are."""

    proxies: int = Field(default=16, ge=2)
    """the first one has the natural mix, the others draw theirs"""
    held_out: int = Field(default=4, ge=0)
    """the last ones, which the laws are not fitted to: they show what the laws are worth"""
    domains: list[str] = []
    """the domains of the mixtures; empty: all that there are"""
    strength: tuple[Strength, Strength] | None = None
    """as that of the search, for this round alone"""
    temperature: float | None = Field(default=None, gt=0, le=1)
    """as that of the search, for this round alone: below 1 a small new domain gets larger shares"""

    @model_validator(mode="after")
    def _sound(self) -> Round:
        if self.held_out >= self.proxies:
            raise ValueError(
                f"held_out ({self.held_out}) must be less than proxies ({self.proxies})"
            )
        if len(set(self.domains)) < len(self.domains):
            raise ValueError(f"domains: one is named twice: {self.domains}")
        _ascending(self.strength)
        return self


class Search(Block):
    """Mix search by a swarm of proxies (olmix; Olmo 3 report, 3.4.4). Absent: no search."""

    by: By = "topic"
    """what a domain is"""
    sequence_length: int = Field(default=256, ge=16)
    """tokens in a sequence of the proxies' packs"""
    rounds: tuple[Round, ...] = Field(default=(Round(),), min_length=1, max_length=9)
    strength: tuple[Strength, Strength] = (0.1, 5.0)
    """concentration of the Dirichlet distribution around the natural mix: each draw takes one of 15 values
    between these, evenly spaced in the logarithm"""
    temperature: float = Field(default=1.0, gt=0, le=1)
    """power applied to the natural shares before the draw: below 1 small domains are drawn more often"""
    minimum_weight: float = Field(default=0.002, gt=0, lt=0.5)
    """a smaller share becomes 0; others are whole multiples of it before they are scaled to sum to 1"""
    proxy_repeats: float = Field(default=4.0, ge=1)
    """how often a proxy reads a domain at most; a draw that would need more is drawn again"""
    proxy: Proxy = Proxy()
    scored: Scored = Scored()
    weights: dict[str, Annotated[float, Field(ge=0)]] = {}
    """of the hold-out domains in what is minimised; default: all alike"""
    divergence: float = Field(default=0.05, ge=0)
    """price of a nat of Kullback-Leibler divergence from the natural mix, in bits per byte"""
    max_repeats: float = Field(default=4.0, gt=0)
    """how often the chosen mix reads a domain at most; never more than `mix` can: its max_repeats x (1 - cutoff)"""
    seed: int = 42

    @model_validator(mode="after")
    def _fits(self) -> Search:
        _ascending(self.strength)
        if any(not one.domains for one in self.rounds[1:]):
            raise ValueError("rounds: each after the first must name its domains")
        if len(self.rounds) > 1 and not self.rounds[0].domains:
            raise ValueError(
                "rounds: where there are several, the first names its domains too: else a new one would enter it, and "
                "its proxies would be trained again"
            )
        every = sorted({name for one in self.rounds for name in one.domains})
        if all(set(every) - set(one.domains) for one in self.rounds) and every:
            raise ValueError(
                f"rounds: one of them must name all domains ({', '.join(every)}): its first proxy has the natural mix, "
                "with which the chosen mixture is compared"
            )
        if self.proxy.model.context < self.sequence_length:
            raise ValueError(
                f"proxy.model.context ({self.proxy.model.context}) must be at least "
                f"sequence_length ({self.sequence_length})"
            )
        if self.weights and not any(self.weights.values()):
            raise ValueError("weights: at least one must be above 0")
        return self

    def instances(self) -> list[str]:
        """The proxies by name: `r1_000`, number 0 of the first round."""
        return [
            f"r{number}_{proxy:03d}"
            for number, one in enumerate(self.rounds, 1)
            for proxy in range(one.proxies)
        ]

    def natural(self) -> str:
        """The proxy that has the natural mix of all domains: the first of a round that names them all."""
        most = max(self.rounds, key=lambda one: len(one.domains))
        return f"r{self.rounds.index(most) + 1}_000"

    def place(self, instance: str) -> tuple[int, int]:
        """The round, from 1, and the number in it, from 0, of a proxy."""
        number, _, proxy = instance.removeprefix("r").partition("_")
        return int(number), int(proxy)

    def is_held_out(self, instance: str) -> bool:
        """Whether the laws are not fitted to a proxy."""
        number, proxy = self.place(instance)
        one = self.rounds[number - 1]
        return proxy >= one.proxies - one.held_out
