"""Which tasks are asked, and the form that the answer takes in the tasks' own words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regrow.data.tables import parquet
from regrow.learn.tasks import tools

CONSTRAINTS = "instruction"
"""the domain of tasks that ask for properties of the answer"""
TOOL = "tool"
"""the verifier of a question that is asked with tools at hand"""


@dataclass(frozen=True)
class Question:
    """A task of the table `tasks`."""

    id: str
    family: str
    domain: str
    question: str
    answer: str
    trace: str
    verifier: str
    arguments: str
    """JSON"""
    tool_call: str = ""
    """the call that gives the answer, "" where no tool does"""
    tools: str = ""
    """the system message that describes the tools"""
    system: str = ""
    """the system message that it is asked with"""


COLUMNS = [name for name in Question.__annotations__ if name != "system"]


def with_tools(questions: Sequence[Question]) -> list[Question]:
    """Those that a tool answers, asked with their tools: the verifier wants the call as well."""
    return [
        replace(
            q,
            system=q.tools,
            verifier=TOOL,
            arguments=json.dumps(tools.arguments({"tool_call": q.tool_call, "answer": q.answer})),
        )
        for q in questions
        if q.tool_call
    ]


def choose(tasks: Path, split: str, most: int, seed: int) -> list[Question]:
    """At most `most` tasks of each family, by a keyed hash of their ids; sorted by family, then id.

    A smaller choice is a part of a larger one.

    Raises:
        ValueError: nothing is left to ask.
    """
    path = tasks / f"{split}.parquet"
    table = parquet.read(path, COLUMNS)
    by_family: dict[str, list[Question]] = {}
    for row in table.iter_rows():
        question = Question(*(value or "" for value in row))
        by_family.setdefault(question.family, []).append(question)

    def rank(question: Question) -> bytes:
        return hashlib.sha256(f"evaluate {seed} {question.id}".encode()).digest()

    chosen = [q for members in by_family.values() for q in sorted(members, key=rank)[:most]]
    if not chosen:
        raise ValueError(f"{path}: no task. Raise tasks.{split}.")
    return sorted(chosen, key=lambda q: (q.family, q.id))
