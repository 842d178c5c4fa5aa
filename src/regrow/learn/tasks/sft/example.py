"""One example of supervised fine-tuning, before it is tokenised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regrow.learn.tasks import tools

LICENCE = "Apache-2.0"
"""of what our own generators write (the project's)"""


@dataclass(frozen=True)
class Check:
    """The verifier that the answer must pass, and what it needs."""

    verifier: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A conversation, and where it is from."""

    id: str
    kind: str
    """`task`, `tool` or `style`"""
    task: str | None
    """id in the task tables"""
    family: str
    """of the task; `style` for a teacher's answer"""
    teacher: str
    """who wrote the trace and the answer: a generator's module, or a model"""
    seed: int
    licence: str
    messages: list[dict[str, Any]]
    check: Check | None = None
    contents: tuple[tuple[str, str], ...] = ()
    """(family, content) of the task"""

    @property
    def said(self) -> str:
        """What the user and the assistant say, by which one example repeats another."""
        told = [m for m in self.messages if m["role"] in ("user", "assistant")]
        return "\n\n".join(m["content"] for m in told if m.get("content"))


def identity(*parts: str) -> str:
    """An id of 32 hexadecimal digits."""
    return hashlib.sha256("\0".join(("regrow sftdata", *parts)).encode()).hexdigest()[:32]


def in_turn(tasks: list[dict[str, Any]], key: str) -> Iterator[dict[str, Any]]:
    """Tasks of all families in turn, each family in the order of a hash named `key`.

    A family with fewer tasks ends sooner; the others go on.
    """

    def rank(task: dict[str, Any]) -> tuple[bytes, str]:
        name = f"regrow sftdata {key} {task['id']}"
        return hashlib.sha256(name.encode()).digest(), task["id"]

    families: dict[str, list[dict[str, Any]]] = {}
    for task in sorted(tasks, key=rank):
        families.setdefault(task["family"], []).append(task)
    for i in range(max(map(len, families.values()), default=0)):
        for name in sorted(families):
            if i < len(families[name]):
                yield families[name][i]


def think(task: dict[str, Any], arguments: dict[str, Any], seed: int) -> Example:
    """The worked trace in the think part, then the answer."""
    turn = {"role": "assistant", "reasoning_content": task["trace"], "content": task["answer"]}
    messages = [{"role": "user", "content": task["question"]}, turn]
    return _of_task(task, "task", "think", messages, Check(task["verifier"], arguments), seed)


def short(task: dict[str, Any], arguments: dict[str, Any], seed: int) -> Example:
    """The answer alone."""
    messages = [
        {"role": "user", "content": task["question"]},
        {"role": "assistant", "content": task["answer"]},
    ]
    return _of_task(task, "task", "instruct", messages, Check(task["verifier"], arguments), seed)


def tool(task: dict[str, Any], seed: int) -> Example:
    """A call in the place of the trace, its result, and the answer read from it."""
    check = Check("tool", tools.arguments(task))
    return _of_task(task, "tool", "tool", tools.conversation(task), check, seed)


def _of_task(
    task: dict[str, Any],
    kind: str,
    form: str,
    messages: list[dict[str, Any]],
    check: Check,
    seed: int,
) -> Example:
    return Example(
        id=identity(form, task["id"]),
        kind=kind,
        task=task["id"],
        family=task["family"],
        teacher=f"regrow.learn.tasks.families.{task['family']}",
        seed=seed,
        licence=LICENCE,
        messages=messages,
        check=check,
        contents=((task["family"], task["content"]),),
    )
