"""All constraints hold.

Each constraint is decided as lm-eval decides it (strict form; equality on generated texts is tested).
Two things are decided here and not there: where no language can be told (an answer of digits), an
instruction about language fails, since otherwise `...` would pass it; and overlong answers fail unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers.ifeval import (
    case,
    combination,
    consistent,
    content,
    format,
    keywords,
    language,
    length,
    punctuation,
    startend,
)
from regrow.learn.verifiers.ifeval.instruction import MAX_CHARACTERS, Instruction
from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.verdict import (
    PASSED,
    ArgumentsError,
    Verdict,
    Verifier,
    failed,
    need,
    only,
    short,
)

INSTRUCTIONS: dict[str, Instruction] = {
    **case.INSTRUCTIONS,
    **combination.INSTRUCTIONS,
    **content.INSTRUCTIONS,
    **format.INSTRUCTIONS,
    **keywords.INSTRUCTIONS,
    **language.INSTRUCTIONS,
    **length.INSTRUCTIONS,
    **punctuation.INSTRUCTIONS,
    **startend.INSTRUCTIONS,
}
"""the names of the paper's instructions -> their checkers"""


def check(arguments: Mapping[str, Any]) -> None:
    """`constraints`: list of `{"id": name of an instruction, "arguments": {…}}`, at least one."""
    only(arguments, "constraints")
    constraints = need(arguments, "constraints", (list, tuple))
    if not constraints:
        raise ArgumentsError("constraints must not be empty")
    for number, constraint in enumerate(constraints, start=1):
        try:
            _check(constraint)
        except ArgumentsError as error:
            raise ArgumentsError(f"constraint {number}: {error}") from error
    if reason := consistent.contradiction(constraints):
        raise ArgumentsError(f"no answer can follow all constraints: {reason}")


def _check(constraint: Mapping[str, Any]) -> None:
    if not isinstance(constraint, Mapping):
        raise ArgumentsError(f"must be a mapping, got {short(constraint)}")
    only(constraint, "id", "arguments")
    name = need(constraint, "id", str)
    if name not in INSTRUCTIONS:
        raise ArgumentsError(
            f"no instruction {name!r}; there are {', '.join(sorted(INSTRUCTIONS))}"
        )
    given = constraint.get("arguments", {})
    wanted = INSTRUCTIONS[name].arguments
    if not isinstance(given, Mapping) or set(given) != set(wanted):
        raise ArgumentsError(f"{name} takes {', '.join(wanted) or 'nothing'}, got {short(given)}")
    for key, (words, fits) in wanted.items():
        if not fits(given[key]):
            raise ArgumentsError(f"{name}: {key} must be {words}, got {short(given[key])}")
    if reason := consistent.impossible(name, given):
        raise ArgumentsError(f"{name}: {reason}")


def follows(text: str, constraint: Mapping[str, Any]) -> bool:
    """Whether a text follows one constraint, as lm-eval's strict form says."""
    instruction = INSTRUCTIONS[constraint["id"]]
    return bool(text.strip()) and instruction.follows(text, **constraint.get("arguments", {}))


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if all constraints hold; else the score is the share that does."""
    text = response.answer
    if len(text) > MAX_CHARACTERS:
        return failed(f"format: more than {MAX_CHARACTERS} characters")
    constraints = arguments["constraints"]
    broken = [c["id"] for c in constraints if not follows(text, c) or _mute(text, c)]
    if not broken:
        return PASSED
    return failed(f"answer: not followed: {', '.join(broken)}", 1 - len(broken) / len(constraints))


def _mute(text: str, constraint: Mapping[str, Any]) -> bool:
    """It asks for a language, and the text shows none."""
    return INSTRUCTIONS[constraint["id"]].language and language.identify(text) == ""


VERIFIER = Verifier(check, judge)
