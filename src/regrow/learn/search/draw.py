"""The mixtures of a swarm, by olmix's rule (olmix, `generate/synthesize_mixture.py`), in one level.

A mixture is drawn from a Dirichlet distribution around the natural shares, whose concentration is itself drawn: one of 15
values evenly spaced in the logarithm. Shares under the minimum weight become 0, the others whole multiples of it; then
they are scaled to sum to 1. What would read a domain too often, or was drawn before, is drawn again. Olmix draws the
sources and the topics of each source apart; here all domains are drawn at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.params.search import Search

STRENGTHS = 15
TRIES = 2_000
_SAME = 1e-5
"""mixtures that differ by no more in any share are one"""


def mixtures(
    search: Search, number: int, natural: Mapping[str, float], caps: Mapping[str, float], count: int
) -> list[dict[str, float]]:
    """The first `count` mixtures of a round, the natural one first.

    A draw is named by the seed, the round and its number, so that more proxies leave those before as they are.

    Args:
        search: the settings.
        number: of the round, from 1.
        natural: domain -> its natural share, > 0; they sum to 1.
        caps: domain -> the largest share that its supply allows.

    Raises:
        ValueError: no draw in 2,000 that the supply allows; the message names the smallest supply.
    """
    names = sorted(natural)
    own = search.rounds[number - 1]
    temperature = search.temperature if own.temperature is None else own.temperature
    ends = exact.log(own.strength or search.strength)
    raised = exact.power([natural[name] for name in names], temperature)
    prior = raised / exact.total(raised.tolist())
    found = [[natural[name] for name in names]]
    for proxy in range(1, count):
        for attempt in range(TRIES):
            shares = _draw(
                search, ends, prior, Stream("mix search", search.seed, number, proxy, attempt)
            )
            fits = all(s <= caps[n] for s, n in zip(shares, names, strict=True))
            if fits and not any(_same(shares, other) for other in found):
                found.append(shares)
                break
        else:
            scarce = min(names, key=lambda name: (caps[name] / natural[name], name))
            raise ValueError(
                f"search: no mixture for proxy {proxy} of round {number} in {TRIES:,} draws: either too much is read of a "
                f"domain (of {scarce} at most {caps[scarce]:.3f} of a proxy), or all that can be drawn were. Fix: shorter "
                "proxies, a higher search.proxy_repeats, a higher search.strength or a smaller search.minimum_weight."
            )
    return [dict(zip(names, shares, strict=True)) for shares in found]


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= _SAME


def _draw(search: Search, ends: np.ndarray, prior: np.ndarray, stream: Stream) -> list[float]:
    low, high = ends
    place = int(stream.integers(1, STRENGTHS)[0]) / (STRENGTHS - 1)
    strength = float(exact.exp(low + (high - low) * place))
    shares = dirichlet((prior * strength).tolist(), stream)
    kept = [share if share >= search.minimum_weight else 0.0 for share in shares]
    whole = exact.total(kept)
    steps = [round(share / whole / search.minimum_weight) for share in kept]
    return [step / sum(steps) for step in steps]


def dirichlet(alpha: Sequence[float], stream: Stream) -> list[float]:
    """A draw from a Dirichlet distribution, by gamma variates in the logarithm: no small `alpha` underflows.

    `stream`: element 0 is not read.
    """
    logs = [_log_gamma(a, stream, 1 + (place << 20)) for place, a in enumerate(alpha)]
    values = exact.exp(np.array(logs) - max(logs)).tolist()
    whole = exact.total(values)
    return [value / whole for value in values]


def _log_gamma(alpha: float, stream: Stream, at: int) -> float:
    """The logarithm of a gamma variate (Marsaglia and Tsang, ACM TOMS 26, 2000); below 1 by that of alpha + 1."""
    log = exact.log
    boost = 0.0
    if alpha < 1:
        boost = float(log(1.0 - stream.uniform(1, at)[0])) / alpha
    d = (alpha + 1 if alpha < 1 else alpha) - 1 / 3
    c = 1 / float(np.sqrt(9 * d))
    while True:
        at += 2
        x = float(stream.normal(1, at)[0])
        v = max(0.0, 1 + c * x)
        v = v * v * v
        u = 1.0 - float(stream.uniform(1, at + 1)[0])
        if v > 0 and float(log(u)) < 0.5 * x * x + d * (1 - v + float(log(v))):
            return float(log(d)) + float(log(v)) + boost
