"""The registry of verifiers and the one function that judges a completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from regrow.learn.verifiers import code, exact, integer, math, repeat, response, tool, words_start
from regrow.learn.verifiers.ifeval import verifier as ifeval
from regrow.learn.verifiers.sandbox.limits import Unavailable
from regrow.learn.verifiers.verdict import ArgumentsError, Verdict, Verifier, failed, short

MAX_CHARACTERS = 100_000
"""longer completions fail unread: no pattern's cost is unbounded"""


VERIFIERS: dict[str, Callable[[], Verifier]] = {
    "code": lambda: code.VERIFIER,
    "exact": lambda: exact.VERIFIER,
    "ifeval": lambda: ifeval.VERIFIER,
    "integer": lambda: integer.VERIFIER,
    "math": lambda: math.VERIFIER,
    "repeat": lambda: repeat.VERIFIER,
    "tool": lambda: tool.VERIFIER,
    "words_start": lambda: words_start.VERIFIER,
}
"""name -> verifier, loaded when first used"""


def find(name: str) -> Verifier:
    """The verifier of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in VERIFIERS:
        raise ValueError(f"unknown verifier {name!r}; there are {', '.join(sorted(VERIFIERS))}")
    return VERIFIERS[name]()


def check(verifier: str, arguments: Mapping[str, Any]) -> None:
    """Check a task's arguments before anything is judged by them.

    Raises:
        ValueError: no such verifier, or arguments that it cannot use.
    """
    try:
        find(verifier).check(arguments)
    except ArgumentsError as error:
        raise ArgumentsError(f"verifier {verifier}: {error}") from error


def judge(verifier: str, arguments: Mapping[str, Any], text: str, form: str) -> Verdict:
    """Judge a completion.

    Args:
        verifier: a name in `VERIFIERS`.
        arguments: what the task says the verifier needs (`check` tells whether it does).
        text: everything after the prompt, special tokens as text, the end token included.
        form: `plain`, `think` or `instruct`.

    Returns:
        The verdict: passed only if the form is right and the answer is. What the think part says
        never counts. Whatever a verifier raises is a failed verdict.

    Raises:
        ValueError: an unknown verifier or form, which no completion can cause.
        Unavailable: code cannot be judged on this machine, which has no sandbox.
    """
    found = find(verifier)
    if form not in response.FORMS:
        raise ValueError(f"unknown form {form!r}; it is one of {', '.join(response.FORMS)}")
    if len(text) > MAX_CHARACTERS:
        return failed(f"format: more than {MAX_CHARACTERS} characters")
    said = response.parse(text, form)
    if not said.well_formed:
        return failed(f"format: {said.reason}")
    if said.tool_calls and verifier != "tool":
        return failed("format: a tool call where none is wanted")
    try:
        found.check(arguments)
        return found.judge(arguments, said)
    except Unavailable:
        raise
    except ArgumentsError as error:
        return failed(f"arguments: {error}")
    except Exception as error:
        return failed(f"error: {type(error).__name__}: {short(str(error))}")
