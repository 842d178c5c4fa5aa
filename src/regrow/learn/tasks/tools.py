"""How a task is asked with tools at hand: the system message, and the conversation with the call."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from regrow.learn.verifiers import tools
from regrow.learn.verifiers.calls import read

_OTHERS = 2
"""tools described beside the one that helps"""


def system(task: str, call: str) -> str:
    """What the system message says: the tool of `call` among others, in an order keyed by task id."""

    def rank(name: str) -> bytes:
        return hashlib.sha256(f"regrow tools {task} {name}".encode()).digest()

    wanted = read(call).name
    others = sorted((name for name in tools.TOOLS if name != wanted), key=rank)[:_OTHERS]
    # By a part of the hash that did not choose them.
    order = sorted([wanted, *others], key=lambda name: rank(name)[::-1])
    return "\n".join(["Tools:", *map(_line, order)])


@cache
def _line(name: str) -> str:
    return tools.describe([name])


def conversation(task: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of the task table with a tool call, as messages from the system's to the answer."""
    return [
        {"role": "system", "content": task["tools"]},
        {"role": "user", "content": task["question"]},
        {"role": "assistant", "tool_calls": [task["tool_call"]]},
        {"role": "tool", "content": tools.execute(read(task["tool_call"]))},
        {"role": "assistant", "content": task["answer"]},
    ]


def arguments(task: dict[str, Any]) -> dict[str, Any]:
    """What the verifier `tool` needs for such a task."""
    return {"calls": [task["tool_call"]], "answer": task["answer"]}
