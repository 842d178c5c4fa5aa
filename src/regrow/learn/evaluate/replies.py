"""lm-eval over the tasks: questions answered greedily and drawn, and right answers scored.

As with held-out documents, lm-eval's times and host names do not leave this module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from regrow.data.tokens import chat
from regrow.learn.evaluate import harness, verdicts
from regrow.learn.evaluate.probes import Form
from regrow.learn.evaluate.questions import Question
from regrow.params.evaluate import Evaluate

if TYPE_CHECKING:
    from regrow.learn.evaluate.lm import CheckpointLM

FOLDER = Path(__file__).parent / "tasks"
VERDICTS = (
    "from regrow.learn.evaluate.verdicts import mean, process_loglikelihood, process_results\n"
)
"""what the task files call; lm-eval looks for it beside them"""
WORKED = "worked_answers"
Kind = Literal["greedy", "drawn", "tools"]


@dataclass(frozen=True)
class Reply:
    """One answer to one question."""

    question: Question
    sample: int
    text: str
    tokens: int
    exact_match: float
    format: float
    score: float


def _write(
    folder: Path, template: str, name: str, rows: Sequence[Mapping[str, Any]], **more: Any
) -> None:
    data = folder / f"{name}.jsonl"
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    files: dict[str, Any] = {"data_files": {"test": str(data.resolve())}}
    files["cache_dir"] = str(folder.parent / "cache")
    # JSON is YAML; the template itself holds a tag (`!function`) that a plain dump cannot write.
    head = {"task": name, "dataset_kwargs": files, **more}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items())
    template_text = (FOLDER / template).read_text(encoding="utf-8")
    (folder / f"{name}.yaml").write_text(text + template_text, encoding="utf-8")
    (folder / "regrow_verdicts.py").write_text(VERDICTS, encoding="utf-8")


def write_questions(
    questions: Sequence[Question], form: Form, settings: Evaluate, folder: Path, kind: Kind
) -> dict[str, str]:
    """Write an lm-eval task per family to `folder`; family -> task name.

    `kind`: one greedy answer; `settings.samples` answers drawn at temperature 1; one greedy
    answer to a question with tools.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = harness.task_names([q.family for q in questions], "answers")
    drawn = kind == "drawn"
    count = settings.samples if drawn else 1
    for family, name in names.items():
        names[family] = f"{name}_{form}_{kind}"
        _write(
            folder,
            "answers.yaml",
            names[family],
            [vars(q) | {"form": form} for q in questions if q.family == family],
            repeats=count,
            filter_list=[{"name": "all", "filter": [{"function": "take_first_k", "k": count}]}],
            generation_kwargs={
                "until": [],
                "do_sample": drawn,
                "temperature": 1.0 if drawn else 0.0,
                "max_gen_toks": settings.max_new_tokens,
            },
        )
    return names


def write_worked(questions: Sequence[Question], folder: Path) -> str:
    """Write the lm-eval task of right answers in the plain form; its name."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for q in questions:
        text = chat.plain(q.question, q.trace, q.answer)
        context = chat.plain(q.question, "", "").removesuffix("Answer: \n\n")
        rows.append({"id": q.id, "context": context, "solution": text.removeprefix(context)})
    _write(folder, "worked_answers.yaml", WORKED, rows)
    return WORKED


def read(
    questions: Sequence[Question], names: Mapping[str, str], report: Any, lm: CheckpointLM
) -> list[Reply]:
    """The replies in lm-eval's report, checked against the questions and against its metrics.

    Raises:
        RuntimeError: lm-eval asked other questions, or its metric disagrees with its samples.
    """
    found = []
    for family, name in names.items():
        expected = {q.id: q for q in questions if q.family == family}
        for sample in report["samples"][name]:
            question = expected.pop(sample["doc"]["id"], None)
            if question is None or sample["arguments"][0][0] != question.question:
                raise RuntimeError(
                    f"lm-eval task {name}: asked a question that was not to be asked"
                )
            lengths = lm.lengths[name, sample["doc_id"]]
            values = zip(*(sample[metric] for metric in verdicts.METRICS), strict=True)
            for number, (text, tokens, value) in enumerate(
                zip(sample["resps"][0], lengths, values, strict=True)
            ):
                found.append(Reply(question, number, text, tokens, *value))
        mine = [reply.exact_match for reply in found if reply.question.family == family]
        metric = float(report["results"][name]["exact_match,all"])
        if expected or abs(metric - sum(mine) / len(mine)) > 1e-9:
            raise RuntimeError(
                f"lm-eval task {name}: exact_match {metric} does not follow from its samples "
                f"({len(expected)} questions missing)"
            )
    return found


def worked(questions: Sequence[Question], report: Any) -> dict[str, tuple[float, int]]:
    """Question id -> bits and bytes of its right answer.

    Raises:
        RuntimeError: lm-eval scored other texts.
    """
    found = {
        sample["doc"]["id"]: (-sample["bits_per_byte"][0] / harness.LN2, sample["bits_per_byte"][1])
        for sample in report["samples"][WORKED]
    }
    if found.keys() != {q.id for q in questions}:
        raise RuntimeError(f"lm-eval task {WORKED}: scored other answers than it was given")
    return found
