"""A word, exactly n times, parted by single spaces, and then stop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.verdict import (
    ArgumentsError,
    Verdict,
    Verifier,
    answered,
    failed,
    need,
    only,
)

MAX_TIMES = 1_000


def check(arguments: Mapping[str, Any]) -> None:
    """`word`: without white space; `n`: how often."""
    only(arguments, "word", "n")
    if not re.fullmatch(r"\S+", need(arguments, "word", str)):
        raise ArgumentsError(f"word must be one word, got {arguments['word']!r}")
    if not 1 <= need(arguments, "n", int) <= MAX_TIMES:
        raise ArgumentsError(f"n must be 1 to {MAX_TIMES}, got {arguments['n']}")


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the answer is the word n times."""
    words = response.answer.split(" ")
    if others := [w for w in words if w != arguments["word"]]:
        return failed(f"answer: {others[0][:40]!r} is not the word")
    return answered(len(words) == arguments["n"], arguments["n"], len(words))


VERIFIER = Verifier(check, judge)
