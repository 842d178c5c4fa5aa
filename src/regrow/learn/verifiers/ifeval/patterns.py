"""Regular expressions whose search takes no more than the square of a text's length.

IFEval searches for keywords as patterns, and Python's matcher has no clock: `(a+)+b` takes twice as long
with every letter. Here a pattern is refused whose ways to match multiply: a repeat inside a repeat, a
second repeat without end, alternatives or optional parts beyond a thousand combinations, and what the
estimate does not cover (references back, looking around).
"""

from __future__ import annotations

import re
import warnings
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

WORDS = "a regular expression of bounded cost"
_MAX_LENGTH = 1_000
_MAX_WAYS = 1_000
_MAX_WIDTH = 1_000
_ONE = {c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN, c.CATEGORY, c.AT}
_REPEATS = {c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT}


class _Costly(Exception):
    pass


def bounded(pattern: str, repeats: int = 1) -> bool:
    """Whether a pattern is one, and its search is bounded; `repeats`: how many may have no end."""
    if len(pattern) > _MAX_LENGTH:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = parser.parse(pattern, re.IGNORECASE)
            re.compile(pattern)
        if parsed.getwidth()[0] > _MAX_WIDTH:
            return False
        ways, endless = _ways(parsed)
    except (re.error, _Costly, RecursionError, OverflowError):
        return False
    return ways <= _MAX_WAYS and endless <= repeats


def _ways(sequence: Any) -> tuple[int, int]:
    """In how many ways a sequence can match at one place, and its repeats without end."""
    ways, endless = 1, 0
    for kind, value in sequence:
        if kind in _ONE:
            continue
        if kind is c.SUBPATTERN:
            more, without_end = _ways(value[3])
        elif kind is c.BRANCH:
            branches = [_ways(branch) for branch in value[1]]
            more, without_end = sum(b[0] for b in branches), sum(b[1] for b in branches)
        elif kind in _REPEATS:
            more, without_end = _repeated(*value)
        else:
            raise _Costly
        ways, endless = ways * more, endless + without_end
        if ways > _MAX_WAYS:
            raise _Costly
    return ways, endless


def _repeated(least: int, most: int, body: Any) -> tuple[int, int]:
    inner, endless = _ways(body)
    varies = inner > 1 or endless or body.getwidth()[0] != body.getwidth()[1]
    if varies and most > 1:
        raise _Costly
    if most is c.MAXREPEAT:
        return 1, 1
    return int(most) - int(least) + inner, endless
