"""Train tasks in the plain form, each with its worked answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from regrow.data.tokens import chat
from regrow.learn.tasks.mid.text import GENERATED_LICENCE, GENERATED_SOURCE, Text, identity, rank


def questions(tasks: list[dict[str, Any]], seed: int) -> Iterator[Text]:
    """One task per text, families in turn: every family has the same share of the texts.

    A family with fewer tasks than the others ends sooner.
    """
    families: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        families.setdefault(task["family"], []).append(task)
    for own in families.values():
        own.sort(key=lambda task: (rank(f"questions {seed}", task["id"]), task["id"]))
    names = sorted(families)
    for i in range(max(map(len, families.values()), default=0)):
        for name in names:
            if i < len(families[name]):
                yield question(families[name][i])


def question(task: dict[str, Any], component: str = "questions") -> Text:
    """A task as a text."""
    return Text(
        id=identity(component, task["id"]),
        component=component,
        source=GENERATED_SOURCE,
        generator=f"regrow.learn.tasks.families.{task['family']}",
        licence=GENERATED_LICENCE,
        parent=task["id"],
        text=chat.plain(task["question"], task["trace"], task["answer"]),
        contents=((task["family"], task["content"]),),
    )


def heldout(task: dict[str, Any]) -> Text:
    """A dev task as a text to measure by."""
    return question(task, "heldout")
