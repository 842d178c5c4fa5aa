"""Whether two sympy expressions are equal: exactly where both are exact.

math-verify calls two expressions equal whose difference is below 1e-15, and two decimals that round to the
same six places, so that `2^{-60}` is `2^{-61}` (https://github.com/huggingface/Math-Verify/issues/14).
`install` puts the two functions here in the place of its own; its rules for sets, intervals, relations
and matrices stay, which compare their parts by these.

Constants are told apart by their first 1,000 digits (sympy's `evalf`); what agrees that far is
equal. Expressions with letters differ if they do at one of eight points; else they are equal if they are
analytic (then a few points decide), or if sympy simplifies their difference to nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from math_verify import grader
from sympy.core.function import AppliedUndef

from regrow.learn.verifiers.math_numbers import close

_DIGITS = 1_000
_LEAST = sympy.Rational(1, 10 ** (_DIGITS - 100))
_POINTS = tuple(
    sympy.Rational(*pair)
    for pair in (
        (3, 7),
        (-11, 5),
        (1009, 7),
        (-20011, 3),
        (13, 11),
        (-1, 97),
        (29, 2),
        (10**9 + 7, 9),
    )
)
"""small and large, on both sides of 0; an expression is tried at each"""
_ENOUGH = 4
_NOISE = sympy.Rational(1, 10**12)
_PIECEWISE = (
    *(sympy.Abs, sympy.floor, sympy.ceiling, sympy.Max, sympy.Min, sympy.sign, sympy.Piecewise),
    *(
        sympy.Mod,
        sympy.arg,
        sympy.re,
        sympy.im,
        sympy.Sum,
        sympy.Product,
        sympy.Integral,
        sympy.Limit,
    ),
    *(sympy.factorial, sympy.binomial, AppliedUndef),
)
_Matrix = (sympy.MatrixBase, sympy.MatrixExpr)


def install() -> None:
    """Let math-verify compare numbers and expressions by this module, in this process."""
    grader.sympy_numeric_eq = _numeric
    grader.sympy_symbolic_eq = _symbolic
    grader.sympy_compare_symbols = _symbols


def _numeric(gold: Any, found: Any, float_rounding: int, numeric_precision: int) -> bool:
    gold, found = gold.doit(), found.doit()
    if isinstance(gold, _Matrix) or isinstance(found, _Matrix):
        if not (isinstance(gold, _Matrix) and isinstance(found, _Matrix)):
            return False
        return gold.shape == found.shape and all(
            grader.sympy_expr_eq(a, b, float_rounding, numeric_precision)
            for a, b in zip(list(gold), list(found), strict=True)
        )
    if gold.free_symbols or found.free_symbols:
        return False
    rounded = gold.has(sympy.Float) or found.has(sympy.Float)
    gold, found = exact(gold), exact(found)
    if gold == found:
        return True
    if not (gold.is_finite and found.is_finite):
        return False
    if gold.is_Rational and found.is_Rational:
        return close(_fraction(gold), _fraction(found), rounded)
    if not rounded:
        return _agree(gold, found, sympy.expand(gold - found), {})
    parts = [
        [_fraction(part) for part in value.evalf(40).as_real_imag()] for value in (gold, found)
    ]
    return all(close(a, b, rounded) for a, b in zip(*parts, strict=True))


def _symbolic(gold: Any, found: Any) -> bool:
    if isinstance(gold, _Matrix) or isinstance(found, _Matrix):
        return False  # their elements were compared
    gold, found = exact(gold.doit()), exact(found.doit())
    if not (gold.free_symbols or found.free_symbols):
        return False  # constants were compared
    try:
        difference = gold - found
        if not isinstance(difference, sympy.Expr):
            return False
    except TypeError:  # no arithmetic between them
        return False
    if difference == 0 or difference.is_Rational:
        return bool(difference == 0)
    agree = _at_points(gold, found, difference)
    if False in agree:
        return False
    if len(agree) >= _ENOUGH and _analytic(difference):
        return True
    return any(step(difference).is_zero is True for step in (sympy.expand, sympy.simplify))


def _at_points(gold: Any, found: Any, difference: Any) -> list[bool]:
    """At each point where both have a value: whether they agree there, to 1,000 digits.

    Of real letters only real values count: both sides must have one at a point, or neither.
    """
    letters = sorted(difference.free_symbols, key=lambda symbol: symbol.name)
    agree = []
    for shift in range(len(_POINTS)):
        at = {s: _POINTS[(n * 5 + shift) % len(_POINTS)] + n for n, s in enumerate(letters)}
        values = [side.evalf(20, subs=at) for side in (gold, found)]
        if not all(value.is_number and value.is_finite for value in values):
            continue
        if all(letter.is_real for letter in letters):
            real = [abs(value.as_real_imag()[1]) < _NOISE for value in values]
            if not any(real):
                continue
            if not all(real):
                return [False]
        agree.append(_agree(gold, found, difference, at))
        if not agree[-1]:
            break
    return agree


def _analytic(expression: Any) -> bool:
    """Whether what agrees at a few points agrees everywhere: nothing in it is defined piece by piece."""
    powers = expression.atoms(sympy.Pow)
    return not expression.has(*_PIECEWISE) and all(
        power.exp.is_integer or not power.base.free_symbols for power in powers
    )


def _symbols(gold: Any, found: Any) -> bool:
    """One of them is a letter: no other letter is equal to it, in no case of letters."""
    if gold == found:
        return True
    if gold.free_symbols != found.free_symbols:
        return False
    return _symbolic(gold, found)


def exact(value: Any) -> Any:
    """An expression with each decimal as the fraction that was written."""
    return value.replace(
        lambda part: isinstance(part, sympy.Float), lambda part: sympy.Rational(str(part))
    ).doit()


def _agree(gold: Any, found: Any, difference: Any, at: dict[Any, Any]) -> bool:
    """Whether two values are the same to nearly 1,000 digits of the larger."""
    if difference.is_Rational:
        return bool(difference == 0)
    apart, *sides = (abs(part.evalf(_DIGITS, subs=at)) for part in (difference, gold, found))
    return bool(apart <= max(sides) * _LEAST)


def _fraction(value: Any) -> Fraction:
    exactly = sympy.Rational(value)
    return Fraction(int(exactly.p), int(exactly.q))
