"""Laws of an evaluation by the shares of the domains, and fits that depend on nothing but the numbers.

The log-linear law of data mixing (Ye et al., arXiv 2403.16952), as olmix fits it for each evaluation (`fit/law.py`):
bits per byte = exp(c) + exp(x . t), by least squares with Huber's loss, delta 0.02. Olmix starts 300 times at random and
goes down by L-BFGS. Here, for a grid of floors exp(c), the logarithm of the rest is linear in x and solved; the best of
these starts are then refined by damped Gauss-Newton steps. All in Python floats, in one order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from regrow.numerics import exact

Row = Sequence[float]
DELTA = 0.02
"""of Huber's loss, in bits per byte"""
_FLOORS = (0.001, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""starts of exp(c), as parts of the smallest measured value"""
_STARTS = 3
"""of which so many are refined"""
_STEPS = 200
_RIDGE = 1e-4
"""weight, in squared bits, of each slope's distance from their mean: what the proxies leave open stays near it"""


@dataclass(frozen=True)
class Law:
    """exp(c) + exp(x . t); of the kind `linear` x . t, of the kind `mean` c."""

    kind: Literal["log_linear", "linear", "mean"]
    c: float
    t: list[float]

    def predict(self, x: Row) -> float:
        """Bits per byte of a mixture."""
        if self.kind == "mean":
            return self.c
        dot = _dot(x, self.t)
        return dot if self.kind == "linear" else float(exact.exp(self.c) + exact.exp(dot))

    def gradient(self, x: Row) -> list[float]:
        """By the shares."""
        if self.kind != "log_linear":
            return list(self.t)
        slope = float(exact.exp(_dot(x, self.t)))
        return [slope * t for t in self.t]


def log_linear(x: Sequence[Row], y: Row) -> Law:
    """Fit the law to measured values y > 0 of mixtures x. Raises ValueError for a y that is not above 0."""
    if min(y) <= 0:
        raise ValueError(f"search: bits per byte must be above 0, got {min(y)}")
    starts = []
    for part in _FLOORS:
        floor = part * min(y)
        rest = [value - floor for value in y]
        logs = exact.log(rest).tolist()
        # A small error e of y is one of e / rest in the logarithm.
        t = _least_squares(x, logs, [r * r for r in rest], exact.mean(logs))
        law = Law("log_linear", float(exact.log(floor)), t)
        starts.append((_loss(law, x, y), part, law))
    starts.sort(key=lambda one: one[:2])
    refined = [_refined(law, x, y) for _, _, law in starts[:_STARTS]]
    return min(refined, key=lambda law: _loss(law, x, y))


def linear(x: Sequence[Row], y: Row) -> Law:
    """Fit x . t by least squares."""
    return Law("linear", 0.0, _least_squares(x, y, [1.0] * len(y), exact.mean(y)))


def _loss(law: Law, x: Sequence[Row], y: Row) -> float:
    errors = [law.predict(row) - value for row, value in zip(x, y, strict=True)]
    middle = exact.mean(law.t)
    return exact.total(
        [
            *(e * e / 2 if abs(e) <= DELTA else DELTA * (abs(e) - DELTA / 2) for e in errors),
            *(_RIDGE / 2 * _scale(law, x) * (t - middle) ** 2 for t in law.t),
        ]
    )


def _scale(law: Law, x: Sequence[Row]) -> float:
    """The ridge is on the fit's own scale: squared bits per squared slope."""
    slope = exact.mean(float(exact.exp(_dot(row, law.t))) for row in x)
    return slope * slope


def _refined(law: Law, x: Sequence[Row], y: Row) -> Law:
    """Damped Gauss-Newton steps (Levenberg and Marquardt) on Huber's loss, weights by the errors as they are."""
    best, damping = _loss(law, x, y), 1e-3
    for _ in range(_STEPS):
        rows, errors, weights = [], [], []
        floor, ridge = float(exact.exp(law.c)), _RIDGE * _scale(law, x)
        for row, value in zip(x, y, strict=True):
            slope = float(exact.exp(_dot(row, law.t)))
            error = floor + slope - value
            rows.append([floor, *(slope * share for share in row)])
            errors.append(error)
            weights.append(1.0 if abs(error) <= DELTA else DELTA / abs(error))
        normal, right = _normal(rows, [-e for e in errors], weights)
        middle = exact.mean(law.t)
        for i, t in enumerate(law.t, 1):
            normal[i][i] += ridge
            right[i] -= ridge * (t - middle)
        for i in range(len(normal)):
            normal[i][i] += damping * normal[i][i] + 1e-12
        step = solve(normal, right)
        # A step of more than e in the floor or a slope is no small one.
        limit = max(1.0, max(abs(s) for s in step))
        moved = Law(
            "log_linear",
            law.c + step[0] / limit,
            [t + s / limit for t, s in zip(law.t, step[1:], strict=True)],
        )
        found = _loss(moved, x, y)
        if found < best:
            done = best - found <= 1e-12 * best
            law, best, damping = moved, found, max(damping / 5, 1e-9)
            if done:
                break
        else:
            damping *= 4
            if damping > 1e9:
                break
    return law


def _least_squares(x: Sequence[Row], y: Row, weights: Row, middle: float) -> list[float]:
    """t with the smallest weighted sum of (x . t - y)^2, drawn a little towards `middle`. Rows of x sum to 1."""
    normal, right = _normal(x, [value - middle for value in y], weights)
    ridge = _RIDGE * exact.mean(weights)
    for i in range(len(normal)):
        normal[i][i] += ridge
    return [middle + found for found in solve(normal, right)]


def _normal(rows: Sequence[Row], y: Row, weights: Row) -> tuple[list[list[float]], list[float]]:
    size = len(rows[0])
    normal = [[0.0] * size for _ in range(size)]
    for i in range(size):
        scaled = [w * row[i] for row, w in zip(rows, weights, strict=True)]
        for j in range(i + 1):
            found = exact.total(a * row[j] for a, row in zip(scaled, rows, strict=True))
            normal[i][j] = normal[j][i] = found
    right = [
        exact.total(w * row[i] * v for row, v, w in zip(rows, y, weights, strict=True))
        for i in range(size)
    ]
    return normal, right


def solve(matrix: Sequence[Row], right: Row) -> list[float]:
    """x of a positive definite system, by Cholesky's decomposition. Raises ValueError where it is not definite."""
    size = len(right)
    low = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - exact.total(low[i][k] * low[j][k] for k in range(j))
            if i == j:
                if rest <= 0:
                    raise ValueError("the system is not positive definite")
                low[i][i] = float(np.sqrt(rest))
            else:
                low[i][j] = rest / low[j][j]
    half: list[float] = []
    for i in range(size):
        half.append((right[i] - exact.total(low[i][k] * half[k] for k in range(i))) / low[i][i])
    found = [0.0] * size
    for i in reversed(range(size)):
        after = exact.total(low[k][i] * found[k] for k in range(i + 1, size))
        found[i] = (half[i] - after) / low[i][i]
    return found


def _dot(a: Row, b: Row) -> float:
    return exact.total(p * q for p, q in zip(a, b, strict=True))
