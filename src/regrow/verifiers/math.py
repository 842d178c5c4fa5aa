"""The answer is mathematically equal to the expected one: math-verify, behind a gate and a clock.

math-verify (Hugging Face) extracts expressions from free text and compares them by sympy. As a reward
it needs three things more:

* A gate. It reads the last of many candidates out of prose and lets `12*12` be the answer to "what is
  12*12?". Here the answer must be one expression without prose, and work left to the reader fails: of
  a plain number only another way to write it passes; of an expression, one that is not much longer.
* A clock that is no signal. Its own time-out is SIGALRM, which needs the main thread. Here sympy runs in
  a child process with a limit on processor time (`math_server`); time used up is a verdict of its own.
* Exact integers: two whole numbers are compared digit by digit and never reach sympy.

Decimals are compared to six places, as math-verify does by default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.verifiers import math_client
from regrow.verifiers.integer import CANONICAL
from regrow.verifiers.response import Response
from regrow.verifiers.verdict import (
    PASSED,
    ArgumentsError,
    Verdict,
    Verifier,
    answered,
    failed,
    need,
    only,
)

MAX_CHARACTERS = 300
_NUMBER = re.compile(
    r"-?(?:"
    r"(?:[1-9][0-9]{0,2}(?:(?:,|\\,|\{,\})[0-9]{3})+|0|[1-9][0-9]{0,39})(?:\.[0-9]{1,40})?"  # 1,234.5
    r"|\.[0-9]{1,40}"
    r"|[0-9]{1,20} ?/ ?[0-9]{1,20}"
    r"|\\[dt]?frac\{-?[0-9]{1,20}\}\{[0-9]{1,20}\}"
    r")(?: ?\\?%)?"
)
"""the ways to write a number that leave nothing to work out"""
_WRAPPED = (
    re.compile(r"\$\$?([^$]+)\$\$?"),
    re.compile(r"\\[(\[](.+)\\[)\]]"),
    re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*)\}"),
)
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FUNCTIONS = {
    *(
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
    ),
    *("log", "ln", "exp", "sqrt", "pi", "inf", "infty", "abs", "min", "max", "gcd", "lcm", "mod"),
}
_WORK = re.compile(
    r"\\(?:int|sum|prod|lim|binom|[dt]binom|det|oint|iint|bigcup|bigcap)(?![A-Za-z])|!"
)
"""operations that an answer may hold only where the expected one does"""
_OPERATOR = re.compile(
    r"[-+*/^!]|\\(?:cdot|times|div|frac|dfrac|tfrac|sqrt|pm|[a-z]{2,6})(?![A-Za-z])"
)
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|operatorname|mbox)(?![A-Za-z])")


def check(arguments: Mapping[str, Any]) -> None:
    """`answer`: LaTeX or plain, without dollar signs."""
    only(arguments, "answer")
    answer = str(need(arguments, "answer", (int, str)))
    if answer != _unwrapped(answer) or not answer or len(answer) > MAX_CHARACTERS:
        raise ArgumentsError(f"answer must be one bare expression, got {answer!r}")


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the answer is one finished expression equal to the expected one."""
    expected, found = str(arguments["answer"]), _unwrapped(response.answer)
    if found == expected:
        return PASSED
    if CANONICAL.fullmatch(expected) and CANONICAL.fullmatch(found):
        return answered(False, expected, found)
    if reason := unfinished(found, expected):
        return failed(f"answer: {reason}")
    said = math_client.compare(f"${expected}$", f"${found}$")
    if said in ("equal", "different"):
        return answered(said == "equal", expected, found)
    return failed("time-out: comparing" if said == "time-out" else f"answer: {said}")


def _unwrapped(text: str) -> str:
    """Without dollar signs, brackets or a box around the whole."""
    for _ in range(3):
        for pattern in _WRAPPED:
            if match := pattern.fullmatch(text):
                text = match[1].strip(" ")
    return text


def unfinished(found: str, expected: str) -> str:
    """Why an answer is not one finished expression; "" if it is."""
    if len(found) > MAX_CHARACTERS:
        return f"more than {MAX_CHARACTERS} characters"
    if not found.isascii() or "\n" in found:
        return "not one line of ASCII"
    if "$" in found or "\\boxed" in found or _TEXT.search(found):
        return "more than one expression"
    words = {w.lower() for w in _WORD.findall(_COMMAND.sub(" ", found))} - _FUNCTIONS
    if words - set(_WORD.findall(expected.lower())):
        return "prose"
    if _NUMBER.fullmatch(expected):
        return "" if _NUMBER.fullmatch(found) else "not a number"
    if set(_WORK.findall(found)) - set(_WORK.findall(expected)):
        return "work left to do"
    if len(_OPERATOR.findall(found)) > 2 * len(_OPERATOR.findall(expected)) + 2:
        return "work left to do"
    return ""


VERIFIER = Verifier(check, judge)
