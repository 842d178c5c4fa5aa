"""Given shares of the tokens: how many are wanted of each domain, and draws that come to them.

A share is a promise. A domain without one, a share without documents, and a supply that is too small each end the
step with their names; so nothing is trained on another mix than the one that was decided on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regrow.data.mix.curve import Curve
from regrow.numerics import exact


def wanted(
    tokens: int, available: Mapping[str, float], shares: Mapping[str, float]
) -> dict[str, float]:
    """Wanted tokens per domain.

    Args:
        tokens: wanted in all.
        available: domain -> tokens of its documents.
        shares: domain -> share; they sum to 1 but for rounding, and are scaled to sum to 1.

    Raises:
        ValueError: a domain without a share, or a share above 0 of a domain without documents.
    """
    if unnamed := sorted(set(available) - set(shares)):
        raise ValueError(
            f"mix.shares: no share for {', '.join(unnamed)}. Fix: name one (0 leaves a domain out), or set mix.shares_by: "
            "the shares are of another kind of domain."
        )
    if empty := sorted(name for name in set(shares) - set(available) if shares[name]):
        raise ValueError(
            f"mix.shares: no document of {', '.join(empty)}. There are {', '.join(sorted(available))}. Fix: leave the "
            "share out, or see drops.parquet of the steps before for documents that were lost."
        )
    whole = exact.total(shares[name] for name in available)
    return {name: tokens * (shares[name] / whole) for name in sorted(available)}


def check(domain: str, curve: Curve, quota: float, available: float, most: float) -> None:
    """Refuse a share that the domain's documents cannot fill. Raises ValueError.

    `most`: the tokens that the curve at the ceiling gives.
    """
    if curve.feasible:
        return
    raise ValueError(
        f"mix.shares.{domain}: {quota:.0f} tokens are wanted, and its documents ({available:.0f} tokens) give {most:.0f} at "
        "most under mix.max_repeats and mix.cutoff. Fix: a smaller share, a smaller mix.tokens, a higher mix.max_repeats or a "
        "lower mix.cutoff."
    )


def nearest(
    sizes: NDArray[np.int64], rates: NDArray[np.float64], draws: NDArray[np.float64], target: float
) -> NDArray[np.int32]:
    """Repeats of a domain's documents whose bytes are as near to `target` as single changes bring them.

    Each is floor(rate + draw) first, so the bytes are those wanted only in the mean. Then, towards the target, the
    draws nearest to another outcome take it, one after the other, where that brings the sum nearer, until none does. A
    document still comes floor(rate) or floor(rate) + 1 times.

    Args:
        sizes: in bytes.
        rates: expected repeats.
        draws: uniform in [0, 1).
        target: wanted bytes.
    """
    part = rates - np.floor(rates)
    times = np.floor(rates + draws)
    up = times > np.floor(rates)
    missing = target - exact.total((sizes * times).tolist())
    changed = True
    while changed:
        changed = False
        step = 1 if missing > 0 else -1
        # Of those that can still move towards the target, how far the draw is from it.
        gap = (1.0 - part - draws) * step
        able = np.flatnonzero((part > 0) & (up == (step < 0)))
        for i in able[np.argsort(gap[able], kind="stable")].tolist():
            left = missing - step * int(sizes[i])
            if abs(left) < abs(missing):
                up[i], times[i], missing, changed = step > 0, times[i] + step, left, True
    return times.astype(np.int32)
