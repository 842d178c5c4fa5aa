"""The answer is one given string, character for character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.verdict import ArgumentsError, Verdict, Verifier, answered, need, only


def check(arguments: Mapping[str, Any]) -> None:
    """`answer`: a non-empty string without white space at its ends."""
    only(arguments, "answer")
    answer = need(arguments, "answer", str)
    if not answer or answer != answer.strip():
        raise ArgumentsError(f"answer must be non-empty and stripped, got {answer!r}")


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the answer is the string: no folding of case, spaces or Unicode forms."""
    expected = arguments["answer"]
    return answered(response.answer == expected, expected, response.answer)


VERIFIER = Verifier(check, judge)
