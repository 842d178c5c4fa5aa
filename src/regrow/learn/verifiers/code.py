"""The answer is a Python program that gives the right results in the sandbox.

The program never meets what is expected of it: it gets arguments (or a standard input), and what it
returns (or prints) is compared here, as JSON text. So there is no `==` to patch, no test to skip and no
verdict to forge: whatever it writes to the channel of results must be the results.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regrow.learn.verifiers.response import Response
from regrow.learn.verifiers.sandbox.limits import Outcome, Program
from regrow.learn.verifiers.sandbox.runner import run
from regrow.learn.verifiers.verdict import (
    PASSED,
    ArgumentsError,
    Verdict,
    Verifier,
    failed,
    need,
    only,
)

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_CASES = 100
MAX_CHARACTERS = 50_000


def check(arguments: Mapping[str, Any]) -> None:
    """`cases` with `arguments` and `result` and the name of the `function`, or with `stdin` and `stdout`."""
    only(arguments, "function", "cases")
    cases = need(arguments, "cases", (list, tuple))
    if not 1 <= len(cases) <= MAX_CASES or not all(isinstance(case, Mapping) for case in cases):
        raise ArgumentsError(f"cases must be 1 to {MAX_CASES} mappings")
    calls = "function" in arguments
    if calls and not need(arguments, "function", str).isidentifier():
        raise ArgumentsError(f"function must be a name, got {arguments['function']!r}")
    for number, case in enumerate(cases, start=1):
        try:
            only(case, *(("arguments", "result") if calls else ("stdin", "stdout")))
            need(case, "arguments", (list, tuple)) if calls else need(case, "stdin", str).encode()
            json.dumps(case["result"], allow_nan=False) if calls else need(case, "stdout", str)
        except (ArgumentsError, KeyError, TypeError, ValueError) as error:
            raise ArgumentsError(f"case {number}: {error}") from error


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if every case gives its result; else the score is the share of cases that do.

    Raises:
        Unavailable: this machine has no sandbox.
    """
    if len(response.answer) > MAX_CHARACTERS:
        return failed(f"format: more than {MAX_CHARACTERS} characters")
    source = program_of(response.answer)
    if source is None:
        return failed("format: more than one block of code")
    if "function" in arguments:
        reasons = _calls(source, arguments["function"], arguments["cases"])
    else:
        reasons = [_script(source, case) for case in arguments["cases"]]
    wrong = [(number, reason) for number, reason in enumerate(reasons, start=1) if reason]
    if not wrong:
        return PASSED
    number, reason = wrong[0]
    kind, _, detail = reason.partition(": ")
    return failed(f"{kind}: case {number}: {detail}", 1 - len(wrong) / len(reasons))


def program_of(answer: str) -> str | None:
    """The code of an answer: its only fenced block, or all of it; None if it has several blocks.

    Fences are CommonMark's (https://spec.commonmark.org/0.31.2/#fenced-code-blocks): of backticks or
    tildes, closed by at least as many of the same sign, indented or in a list, with any line end.
    """
    answer = answer.removeprefix("\ufeff")
    blocks = [token.content for token in _markdown().parse(answer) if token.type == "fence"]
    if not blocks:
        return answer
    return blocks[0] if len(blocks) == 1 else None


@functools.lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """A reader of blocks alone, to which no tag hides a fence."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable(["html_block", "inline", "text_join"])


def _calls(source: str, function: str, cases: list[Mapping[str, Any]]) -> list[str]:
    """Per case why its result is wrong, "" if it is right."""
    calls = tuple(list(case["arguments"]) for case in cases)
    outcome = run(Program(source, function, calls))
    if outcome.status == "output":
        # How far it came before it was stopped is a matter of time: no case counts.
        return [_ended(outcome)] * len(cases)
    lines = outcome.stdout.split(b"\n")
    unfinished = lines.pop()  # what follows the last line end, normally nothing
    if len(lines) > len(cases) or (len(lines) == len(cases) and unfinished):
        return ["code: it wrote to the channel of results"] * len(cases)
    wrong = [_compared(line, case["result"]) for line, case in zip(lines, cases, strict=False)]
    missing = len(cases) - len(lines)
    return wrong + [_ended(outcome) or "code: it ended without a result"] * missing


def _compared(line: bytes, expected: Any) -> str:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return "code: it wrote to the channel of results"
    if not isinstance(said, dict) or list(said) not in (["result"], ["error"]):
        return "code: it wrote to the channel of results"
    if "error" in said:
        return f"code: {str(said['error'])[:100]}"
    return "" if _text(said["result"]) == _text(expected) else "answer: another result"


def _text(value: Any) -> str:
    """JSON text: tells 1 from 1.0 and True; a tuple is a list."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _script(source: str, case: Mapping[str, Any]) -> str:
    outcome = run(Program(source, stdin=case["stdin"]))
    if reason := _ended(outcome):
        return reason
    printed = outcome.stdout.decode("utf-8", "replace")
    return "" if _lines(printed) == _lines(case["stdout"]) else "answer: another output"


def _lines(text: str) -> list[str]:
    """Without white space at line ends and empty lines at the end, as judges of contests do."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _ended(outcome: Outcome) -> str:
    """Why a program did not end well, "" if it did."""
    if outcome.status == "time-out":
        return "time-out: the program did not end"
    if outcome.status == "output":
        return "code: too much output"
    if outcome.status == "killed":
        return f"code: killed by signal {-outcome.code}"
    if outcome.code:
        said = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"code: {said[-1][:100] if said else f'exit status {outcome.code}'}"
    return ""


VERIFIER = Verifier(check, judge)
