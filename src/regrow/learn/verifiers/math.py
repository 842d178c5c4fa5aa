"""The answer is mathematically equal to the expected one.

In this order, and the first that applies decides:

1. The same text (`math_text.same_text`).
2. Two whole numbers: by their digits.
3. A gate (`unfinished`): the answer must be one expression without prose, and work left to the reader
   fails: of a written number only another way to write it passes; of an expression, one that is not
   much longer.
4. Two written numbers (`math_numbers`): exactly; decimals by `math_numbers.close`.
5. A text that holds anything which math-verify passes over (`math_text.readable`): different.
6. math-verify (Hugging Face) and sympy, exactly (`math_exact`), in a child process with a limit on
   processor time (`math_server`): its own time-out is SIGALRM, which needs the main thread.
   Time used up is a verdict of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers import math_client, math_numbers, math_text
from regrow.learn.verifiers.integer import CANONICAL
from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.verdict import (
    PASSED,
    ArgumentsError,
    Verdict,
    Verifier,
    answered,
    failed,
    need,
    only,
    short,
)

MAX_CHARACTERS = 300
_WRAPPED = (
    re.compile(r"\$\$?([^$]+)\$\$?"),
    re.compile(r"\\[(\[](.+)\\[)\]]"),
    re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*)\}"),
)
_WORK = re.compile(
    r"\\(?:int|sum|prod|lim|binom|[dt]binom|det|oint|iint|bigcup|bigcap)(?![A-Za-z])|!(?!=)"
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
    if math_text.same_text(found, expected):
        return PASSED
    if CANONICAL.fullmatch(expected) and CANONICAL.fullmatch(found):
        return answered(False, expected, found)
    if reason := unfinished(found, expected):
        return failed(f"answer: {reason}")
    if number := math_numbers.read(expected):
        said = math_numbers.read(found)
        return answered(said is not None and math_numbers.equal(number, said), expected, found)
    if not (math_text.readable(expected) and math_text.readable(found)):
        return failed(f"answer: {short(found)} is not {short(expected)} as text")
    if {math_text.shape(expected), math_text.shape(found)} == {"set", "ordered"}:
        return answered(False, expected, found)  # the same to math-verify
    verdict = math_client.compare(math_text.latex(expected), math_text.latex(found))
    if verdict in ("equal", "different"):
        return answered(verdict == "equal", expected, found)
    return failed("time-out: comparing" if verdict == "time-out" else f"answer: {verdict}")


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
    if _prose(found, expected):
        return "prose"
    if math_numbers.read(expected):
        return "" if math_numbers.read(found) else "not a number"
    if set(_WORK.findall(found)) - set(_WORK.findall(expected)):
        return "work left to do"
    operators, wanted = (len(_OPERATOR.findall(math_text.latex(t))) for t in (found, expected))
    if operators > 2 * wanted + 2:
        return "work left to do"
    return ""


def _prose(found: str, expected: str) -> bool:
    """Whether an answer has a word that the expected one has not, and that is no product of its letters."""
    known = {*math_text.FUNCTIONS, *math_text.CONSTANTS, *math_text.words(expected)}
    letters = set(re.sub(r"\\[A-Za-z]+", "", expected))
    for word in math_text.words(found):
        product = len(word) <= 4 and set(word) <= letters and not math_text.is_word(expected)
        function = word[:-1] in math_text.FUNCTIONS and word[-1] in letters  # sinx
        if word not in known and not product and not function:
            return True
    return False


VERIFIER = Verifier(check, judge)
