"""The truncated power-exponential curve of quality-aware upsampling.

f(x) = 0 below a, C (x - a)^p e^{lambda (x - a)} from a on; x is the quality percentile
(OLMo 3 report, section A.2.4; the solver follows the released mixing code: a grid of p, the
largest feasible lambda for each by bisection, C from the integral, the largest feasible p).
Everything is evaluated in closed form by a series of positive terms, hence without quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

from regrow.numerics import exact

POWERS = tuple(5.0 * i / 19.0 for i in range(20))
"""the grid of p"""
MAX_LAMBDA = 2.0
_BISECTIONS = 60
_TERMS = 40


def moment(width: float, p: float, rate: float) -> float:
    """The integral of u^p e^{rate u} over 0 .. width, for width >= 0 and rate >= 0.

    e^{rate u} is expanded: width^{p+1} * sum over n of (rate width)^n / (n! (p + n + 1)).
    With rate * width <= 2 the 40 terms leave nothing that float64 could see.
    """
    if width <= 0.0:
        return 0.0
    terms = []
    factor = 1.0
    for n in range(_TERMS):
        terms.append(factor / (p + n + 1.0))
        factor = factor * (rate * width) / (n + 1.0)
    return float(exact.power(width, p + 1.0)) * exact.total(terms)


@dataclass(frozen=True)
class Curve:
    """A fitted curve: rates of repetition by quality percentile."""

    cutoff: float
    p: float
    rate: float
    """lambda"""
    scale: float
    """C"""
    feasible: bool
    """False: the wanted integral broke the ceiling even as a flat curve, and was lowered to it"""

    def integral(self, start: float, end: float) -> float:
        """Of f over start .. end (percentiles)."""
        upper = moment(end - self.cutoff, self.p, self.rate)
        return self.scale * (upper - moment(start - self.cutoff, self.p, self.rate))

    def mean(self, start: float, end: float) -> float:
        """Of f over start .. end: the rate of a bucket that spans them. Raises if end <= start."""
        if end <= start:
            raise ValueError(f"a bucket needs a width: {start} .. {end}")
        return self.integral(start, end) / (end - start)


def fit(integral: float, cutoff: float, top_width: float, ceiling: float) -> Curve:
    """The steepest curve with the wanted integral and no top bucket above the ceiling.

    Args:
        integral: wanted over available tokens (Z/X), >= 0: the integral of f over 0 .. 1.
        cutoff: a, in 0 .. 1 (1 excluded).
        top_width: b, the width of the top bucket, in 0 .. 1 (0 excluded).
        ceiling: M, of the mean of f over the top bucket.

    Returns:
        The curve. Where even the flat curve (p = lambda = 0) would break the ceiling, the flat
        curve at the ceiling, marked `feasible=False`: it yields fewer tokens than wanted.
    """
    whole = 1.0 - cutoff
    limit = ceiling * (1.0 + 1e-12)  # a wish that meets the ceiling exactly is feasible

    def top_mean(p: float, rate: float) -> float:
        share = moment(whole, p, rate) - moment(whole - top_width, p, rate)
        return integral * (share / moment(whole, p, rate)) / top_width

    def curve(p: float, rate: float) -> Curve:
        return Curve(cutoff, p, rate, integral / moment(whole, p, rate), True)

    for p in reversed(POWERS):
        if top_mean(p, MAX_LAMBDA) <= limit:
            return curve(p, MAX_LAMBDA)
        if top_mean(p, 0.0) > limit:
            continue
        low, high = 0.0, MAX_LAMBDA
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            if top_mean(p, middle) <= limit:
                low = middle
            else:
                high = middle
        return curve(p, low)
    # A top bucket that reaches below the cut-off holds f over whole / top_width of it only.
    covered = min(whole, top_width)
    return Curve(cutoff, 0.0, 0.0, ceiling * top_width / covered, False)
