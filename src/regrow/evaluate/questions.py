"""Which tasks are asked, and the form that the answer takes in the tasks' own words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from regrow.evaluate.probes import Form
from regrow.tables import parquet


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

    @property
    def system(self) -> str:
        """The system message that the question comes with: the tools it may use, if any."""
        return ""


COLUMNS = list(Question.__annotations__)
CONSTRAINTS = "instructions"
"""the domain of tasks that ask for properties of the answer"""
TOOLS = "tool"
"""the verifier of tasks that need tools, which only the Instruct form has"""


def choose(tasks: Path, split: str, form: Form, most: int, seed: int) -> list[Question]:
    """At most `most` tasks of each family, by a keyed hash of their ids; sorted by family, then id.

    A smaller choice is a part of a larger one. Tasks that need tools are asked in the
    Instruct form only.

    Raises:
        ValueError: nothing is left to ask.
    """
    path = tasks / f"{split}.parquet"
    table = parquet.read(path, COLUMNS)
    if form != "instruct":
        table = table.filter(pl.col("verifier") != TOOLS)
    by_family: dict[str, list[Question]] = {}
    for row in table.iter_rows():
        question = Question(*(value or "" for value in row))
        by_family.setdefault(question.family, []).append(question)

    def rank(question: Question) -> bytes:
        return hashlib.sha256(f"evaluate {seed} {question.id}".encode()).digest()

    chosen = [q for members in by_family.values() for q in sorted(members, key=rank)[:most]]
    if not chosen:
        raise ValueError(f"{path}: no task for the {form} form. Raise tasks.{split}.")
    return sorted(chosen, key=lambda q: (q.family, q.id))
