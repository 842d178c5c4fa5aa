"""The right tools were called with the right arguments, their results are real, the answer is right.

The verifier runs every call itself: tools are pure, so a result in the conversation that differs from
its own was not made by a tool. A response that only calls (the conversation stops there) can pass
only where no answer is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.learn.verifiers import tools
from regrow.learn.verifiers.calls import Call, CallError, read
from regrow.learn.verifiers.response import BLANK, Response
from regrow.learn.verifiers.verdict import (
    PASSED,
    ArgumentsError,
    Verdict,
    Verifier,
    answered,
    failed,
    need,
)
from regrow.learn.verifiers.verdict import only as only_arguments


def check(arguments: Mapping[str, Any]) -> None:
    """`calls`: the calls, as text, in order (order of arguments is free); `answer`: a string, or None."""
    only_arguments(arguments, "calls", "answer")
    calls = need(arguments, "calls", (list, tuple))
    if not calls or not all(isinstance(c, str) for c in calls):
        raise ArgumentsError("calls must be a list of texts, at least one")
    for text in calls:
        try:
            tools.execute(read(text))
        except (CallError, tools.ToolError) as error:
            raise ArgumentsError(f"calls: {text}: {error}") from error
    if arguments.get("answer") is not None:
        need(arguments, "answer", str)


def judge(arguments: Mapping[str, Any], response: Response) -> Verdict:
    """Passed if the calls, their results and the answer are the expected ones."""
    made: list[Call] = []
    for text in response.tool_calls:
        try:
            made.append(read(text))
        except CallError as error:
            return failed(f"call: {error}")
    wanted = [read(text) for text in arguments["calls"]]
    if len(made) != len(wanted):
        return failed(f"call: {len(made)} calls, expected {len(wanted)}")
    for found, expected in zip(made, wanted, strict=True):
        if not _same(found, expected):
            return failed(
                f"call: {found.name}({', '.join(found.arguments)}) is not the call wanted"
            )
    for said, call in zip(response.tool_results, made, strict=False):
        if said != tools.execute(call).strip(BLANK):
            return failed("call: a result that the tool did not give")
    if arguments.get("answer") is None:
        return PASSED
    if len(response.tool_results) != len(made):
        return failed("call: no answer after the calls")
    return answered(response.answer == arguments["answer"], arguments["answer"], response.answer)


def _same(a: Call, b: Call) -> bool:
    """Equal, and of equal types (1 is not True)."""
    return a.name == b.name and _typed(a) == _typed(b)


def _typed(call: Call) -> dict[str, str]:
    return {name: repr(value) for name, value in call.arguments.items()}


VERIFIER = Verifier(check, judge)
