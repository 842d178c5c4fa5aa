"""The answer is one whole number, in ASCII digits, and nothing else."""

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

CANONICAL = re.compile(r"-?[1-9][0-9]{0,999}|0")
"""no plus sign, no leading zeros, no separators, no digits of other scripts"""


def check(arguments: Mapping[str, Any]) -> None:
    """`answer`: an int, or its digits."""
    only(arguments, "answer")
    answer = need(arguments, "answer", (int, str))
    if not CANONICAL.fullmatch(str(answer)):
        raise ArgumentsError(f"answer must be a whole number, got {answer!r}")


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the answer is written as the expected number is."""
    if not CANONICAL.fullmatch(response.answer):
        return failed("answer: not one whole number")
    expected = str(arguments["answer"])
    return answered(response.answer == expected, expected, response.answer)


VERIFIER = Verifier(check, judge)
