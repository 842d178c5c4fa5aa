"""Float64 functions for data steps whose bits do not depend on the machine.

Only operations that IEEE 754 rounds correctly are used (+ - * / sqrt, rint, scaling
by a power of two), one numpy call each, so that neither the C library nor a vector
width can change a bit. Sums are correctly rounded (Shewchuk, `math.fsum`), hence
independent of order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]

_LOG2E = 1.4426950408889634
_LN2_HI = 0.693147180369123816490  # low 21 bits zero, so that k * _LN2_HI is exact
_LN2_LO = 1.90821492927058770002e-10
_PIO2_HI = 1.57079632673412561417  # 33 bits of pi/2
_PIO2_LO = 6.07710050650619224932e-11

# Taylor coefficients of exp, 1/n!: on |r| <= ln2/2 the remainder after degree 13 is under 1e-17.
_EXP = [1.0 / math.factorial(n) for n in range(14)]
_SIN = [(-1.0) ** n / math.factorial(2 * n + 1) for n in range(9)]
_COS = [(-1.0) ** n / math.factorial(2 * n) for n in range(10)]


def _horner(coefficients: list[float], x: F64) -> F64:
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x
        value = value + coefficient
    return value


def exp(x: ArrayLike) -> F64:
    """e**x, elementwise, float64, error under 2 ULP; below -745 it is 0, above 709.78 infinite."""
    x = np.asarray(x, dtype=np.float64)
    safe = np.clip(np.where(np.isnan(x), 0.0, x), -800.0, 800.0)
    k = np.rint(safe * _LOG2E)
    r = (safe - k * _LN2_HI) - k * _LN2_LO
    with np.errstate(over="ignore", under="ignore"):
        value = np.ldexp(_horner(_EXP, r), k.astype(np.int32))
    return np.where(np.isnan(x), x, value)


def log(x: ArrayLike) -> F64:
    """Natural logarithm, elementwise, float64, error under 2 ULP; log(0) is -inf, of negatives NaN."""
    x = np.asarray(x, dtype=np.float64)
    mantissa, exponent = np.frexp(np.where((x > 0) & np.isfinite(x), x, 1.0))
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    k = (exponent - low).astype(np.float64)
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    # atanh series: log(1+f) = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.1716
    series = _horner([2.0 / (2 * n + 1) for n in range(1, 13)], z) * z
    value = k * _LN2_HI + (2.0 * s + (s * series + k * _LN2_LO))
    value = np.where(np.isinf(x), x, value)
    return np.where(x > 0, value, np.where(x == 0, -np.inf, np.nan))


def _sincos(x: F64) -> tuple[F64, F64]:
    k = np.rint(x * (2.0 / math.pi))
    r = (x - k * _PIO2_HI) - k * _PIO2_LO
    z = r * r
    sine, cosine = _horner(_SIN, z) * r, _horner(_COS, z)
    quadrant = k.astype(np.int64) % 4
    s = np.choose(quadrant, [sine, cosine, -sine, -cosine])
    c = np.choose(quadrant, [cosine, -sine, -cosine, sine])
    return s, c


def sin(x: ArrayLike) -> F64:
    """Sine, elementwise, float64, absolute error under 1e-12 for |x| up to 1e5 (radians)."""
    return _sincos(np.asarray(x, dtype=np.float64))[0]


def cos(x: ArrayLike) -> F64:
    """Cosine, elementwise, float64, absolute error under 1e-12 for |x| up to 1e5 (radians)."""
    return _sincos(np.asarray(x, dtype=np.float64))[1]


def power(base: ArrayLike, exponent: ArrayLike) -> F64:
    """base ** exponent for base >= 0 as exp(exponent * log(base)); 0 ** 0 is 1."""
    b, e = np.broadcast_arrays(
        np.asarray(base, dtype=np.float64), np.asarray(exponent, dtype=np.float64)
    )
    safe = np.where(b > 0, b, 1.0)
    value = exp(e * log(safe))
    return np.where(b > 0, value, np.where(e == 0, 1.0, np.where(e > 0, 0.0, np.inf)))


def total(values: Iterable[float]) -> float:
    """The correctly rounded sum: the same whatever the order of `values`."""
    return math.fsum(values)


def mean(values: Iterable[float]) -> float:
    """Correctly rounded sum over count. Raises ValueError for no values."""
    items = list(values)
    if not items:
        raise ValueError("mean of no values")
    return math.fsum(items) / len(items)


def sum_rows(matrix: F64) -> F64:
    """Column sums of a (rows, columns) matrix, adding row after row in order: (columns,)."""
    if not len(matrix):
        return np.zeros(matrix.shape[1:], dtype=matrix.dtype)
    return np.asarray(np.add.accumulate(matrix, axis=0)[-1])
