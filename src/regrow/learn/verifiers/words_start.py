"""Exactly n different words that start with a letter, and then stop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.verdict import ArgumentsError, Verdict, Verifier, failed, need, only

_WORDS = re.compile(r"[a-z]+(,? [a-z]+)*")
MAX_WORDS = 1_000


def check(arguments: Mapping[str, Any]) -> None:
    """`n`: how many; `letter`: a-z; `words` (optional): the only words that count."""
    only(arguments, "n", "letter", "words")
    if not 1 <= need(arguments, "n", int) <= MAX_WORDS:
        raise ArgumentsError(f"n must be 1 to {MAX_WORDS}, got {arguments['n']}")
    if not re.fullmatch("[a-z]", need(arguments, "letter", str)):
        raise ArgumentsError(f"letter must be one of a-z, got {arguments['letter']!r}")
    if "words" in arguments and not all(
        isinstance(w, str) for w in need(arguments, "words", (list, tuple))
    ):
        raise ArgumentsError("words must be a list of strings")


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the answer is n different lower-case words, parted by a space or comma and space."""
    if not _WORDS.fullmatch(response.answer):
        return failed("answer: not words in a row")
    words = response.answer.replace(",", "").split(" ")
    if len(words) != arguments["n"]:
        return failed(f"answer: {len(words)} words, expected {arguments['n']}")
    if len(set(words)) < len(words):
        return failed("answer: a word more than once")
    letter = arguments["letter"]
    if others := [w for w in words if not w.startswith(letter)]:
        return failed(f"answer: {others[0][:40]!r} does not start with {letter!r}")
    if "words" in arguments and (others := sorted(set(words) - set(arguments["words"]))):
        return failed(f"answer: {others[0][:40]!r} is not among the allowed words")
    return Verdict(True, 1.0, "")


VERIFIER = Verifier(check, judge)
