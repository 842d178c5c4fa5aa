"""What the stages answered to the same questions, side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.learn.verifiers import response
from regrow.learn.verifiers.judge import judge
from regrow.publish.report.about import averaged, lasts

QUESTIONS = 4


@dataclass(frozen=True)
class StageAnswer:
    """What a stage answered to a question."""

    stage: str
    title: str
    think: str
    answer: str
    instruct: bool
    """of the branch with short answers"""
    right: bool | None
    """as the task's verifier judges; None: not judged"""


@dataclass(frozen=True)
class Question:
    """A question and the answers of the stages."""

    text: str
    wanted: str
    answers: list[StageAnswer]


def answers(ledger: Ledger, outputs: Outputs) -> list[Question]:
    """Questions of the dev split that most stages were asked, those first whose answers changed."""
    tasks = {
        row["question"]: row
        for row in outputs.rows(
            "tasks", "dev.parquet", pl.lit(True), ["question", "verifier", "arguments"]
        )
    }
    questions: dict[str, Question] = {}
    for made, title in _shown(ledger):
        record = ledger.about("evaluate", made)
        content = outputs.json(record.name, "samples.json") if record else None
        for sample in (content or {}).get("samples", []):
            if sample.get("form", "text") == "text":
                continue
            row = questions.setdefault(
                sample["prompt"], Question(sample["prompt"], str(sample.get("right", "")), [])
            )
            row.answers.append(_answer(made, title, sample, tasks.get(sample["prompt"])))
    rows = [row for row in questions.values() if len(row.answers) > 1]
    rows.sort(key=lambda row: (-_interest(row), row.text))
    return rows[:QUESTIONS]


def _shown(ledger: Ledger) -> list[tuple[Record, str]]:
    """The last checkpoints that are shown, with the stage's name on the page: no controls, a soup for its runs."""
    return [
        (record, title)
        for record in lasts(ledger).values()
        if record.kind and not record.is_control and not averaged(ledger, record)
        if (title := record.kind.short(record.options))
    ]


def _interest(row: Question) -> int:
    """A question that was got wrong first and right in the end shows most."""
    marks = [answer.right for answer in row.answers if not answer.instruct]
    changed = marks[0] is False and marks[-1] is True
    return 10 * changed + len(row.answers)


def _answer(
    record: Record, title: str, sample: dict[str, Any], task: dict[str, Any] | None
) -> StageAnswer:
    form, text = sample["form"], sample["text"]
    parts = response.parse(text, form)
    stage, instruct = record.step, record.options.get("branch") == "instruct"
    if task:
        right = judge(task["verifier"], json.loads(task["arguments"]), text, form).passed
    else:
        right = None
    answer = parts.answer
    if parts.tool_calls:
        calls = ", ".join(parts.tool_calls)
        answer = f"{answer} (called {calls})" if answer else f"called {calls}"
    if not parts.well_formed:
        # Of what has no form, all is shown: there is no telling what was meant as the answer.
        return StageAnswer(stage, title, "", _short(text), instruct, right)
    return StageAnswer(stage, title, _short(parts.think), _short(answer), instruct, right)


def _short(text: str, most: int = 220) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
