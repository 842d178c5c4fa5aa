"""What a family of tasks is: a way to draw an item with its question, worked trace and verifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regrow.learn.tasks.draws import Draws


@dataclass(frozen=True)
class Task:
    """One item of a family."""

    content: str
    """what the answer depends on, written so that two questions with the same answer for the same
    reason have the same content (5 + 3 and 3 + 5): the unit of the split"""
    instance: str
    """what is asked about, in the order in which it is asked"""
    question: str
    trace: str
    """worked steps, each of which needs only what stands close by"""
    answer: str
    verifier: str
    """a name in `regrow.learn.verifiers.judge.VERIFIERS`"""
    arguments: Mapping[str, Any]
    tool_call: str = ""
    """the call whose result is the answer, "" where no tool helps"""


@dataclass(frozen=True)
class Family:
    """Tasks of one kind."""

    name: str
    domain: str
    """`math`, `string` or `instruction`"""
    draw: Callable[[Draws], Task]
    wordings: tuple[str, ...]
    """of the question, as format strings"""
    slots: Mapping[str, str] = field(default_factory=dict)
    """what stands in a field of the wordings: field -> regular expression"""


def spaced(letters: str) -> str:
    """Letters parted by spaces, so that each is a token."""
    return " ".join(letters)
