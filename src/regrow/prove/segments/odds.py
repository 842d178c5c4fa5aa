"""The odds of catching a forgery by a random sample, and what a sample must cost.

Units are drawn without replacement, so the number of forged ones in a sample is hypergeometric:
of N units f are forged, n are drawn, and none of the forged is drawn with probability
C(N - f, n) / C(N, n). A drawn unit that is forged is always caught: bits are equal or not. The
draw knows nothing of the forger's choice, so it does not matter which units were forged.
"""

from __future__ import annotations

import math
from fractions import Fraction


def forged(population: int, share: float) -> int:
    """How many units a forgery of `share` (above 0, at most 1) is: at least one, rounded up.

    Raises:
        ValueError: no such share.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a forged share is above 0 and at most 1, not {share}")
    return max(1, math.ceil(Fraction(str(share)) * population))


def odds(population: int, wrong: int, drawn: int) -> float:
    """The probability that at least one of `wrong` units is among `drawn` of `population`."""
    if not wrong or not drawn:
        return 0.0
    if drawn > population - wrong:
        return 1.0
    # The shorter of two equal products: C(N - f, n) / C(N, n) is the same with f and n exchanged.
    few, many = sorted((wrong, drawn))
    missed = math.fsum(math.log1p(-many / (population - i)) for i in range(few))
    return -math.expm1(missed)


def needed(population: int, wrong: int, wanted: float) -> int:
    """The fewest units to draw for odds of at least `wanted` (above 0, at most 1).

    Raises:
        ValueError: no such odds, or there is nothing to draw.
    """
    if not 0 < wanted <= 1:
        raise ValueError(f"odds are above 0 and at most 1, not {wanted}")
    if not 1 <= wrong <= population:
        raise ValueError(f"{wrong} of {population} units cannot be forged")
    low, high = 1, population - wrong + 1  # that many cannot all be honest
    while low < high:
        middle = (low + high) // 2
        if odds(population, wrong, middle) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def population_for(price: float, share: float, wanted: float) -> int:
    """How many equal units a run needs so that a sample with these odds costs at most `price` of it.

    The number to draw hardly grows with the population (for 5 % and 99 % it tends to 90), so the
    price falls as one over it. Exact up to the rounding of `forged`: from here on it holds for
    populations of which `share` is a whole number.
    """
    step = Fraction(str(share)).denominator
    low, high = 1, 1
    while needed(high * step, forged(high * step, share), wanted) > price * high * step:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        size = middle * step
        if needed(size, forged(size, share), wanted) <= price * size:
            high = middle
        else:
            low = middle + 1
    return high * step


def comb_odds(population: int, gap: int, wrong: int) -> float:
    """The least odds of catching `wrong` units, wherever they are, by every `gap`-th unit.

    An unbroken stretch of `gap` units is caught for certain; this is for a forger who knows the
    method and puts his units at the distance of the teeth. Of the `gap` starts that one is drawn
    from, as many catch him as there are remainders among his units, and a remainder has room for
    at most ceil(population / gap) of them.
    """
    return min(1.0, math.ceil(wrong / math.ceil(population / gap)) / gap)
