"""The tasks step: questions with verified answers, split by content.

No content of dev or test is in train, whatever its wording or order; dev and test hold each content
once. Train may ask about a content in several orders (3 + 5, 5 + 3), never twice in the same.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.learn.tasks import draws, tools
from regrow.learn.tasks.families import FAMILIES
from regrow.learn.tasks.families.family import Family, Task
from regrow.learn.tasks.split import SPLITS, Split, identity, split
from regrow.learn.verifiers.judge import judge
from regrow.params.posttrain import Tasks

SCHEMA: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "family": pl.String,
    "domain": pl.String,
    "content": pl.String,
    "question": pl.String,
    "answer": pl.String,
    "trace": pl.String,
    "verifier": pl.String,
    "arguments": pl.String,  # JSON
    "tool_call": pl.String,  # "" where no tool gives the answer
    "tools": pl.String,  # the system message that describes the tools; "" like tool_call
}
_TRIES = 8
"""draws per wanted task, after which a family is taken to have no more contents"""


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with train.parquet, dev.parquet and test.parquet.

    Returns the number of tasks per split and family.

    Raises:
        ValueError: a family's own answer does not pass its verifier (an error in the family).
    """
    p: Tasks = params.tasks
    rows: dict[Split, list[dict[str, Any]]] = {name: [] for name in SPLITS}
    counts: dict[str, dict[str, int]] = {}
    for family in FAMILIES.values():
        found = collect(family, {"train": p.train, "dev": p.dev, "test": p.test}, p.seed)
        for name, tasks in found.items():
            rows[name].extend(_row(family, task) for task in tasks)
        counts[family.name] = {name: len(tasks) for name, tasks in found.items()}
        print(f"  {family.name}: {counts[family.name]}", file=sys.stderr)
    for name in SPLITS:
        frame = pl.DataFrame(rows[name], schema=SCHEMA).sort("id")
        tables.write(frame, output / f"{name}.parquet")
    return {name: {family: row[name] for family, row in sorted(counts.items())} for name in SPLITS}


def collect(family: Family, wanted: dict[Split, int], seed: int) -> dict[Split, list[Task]]:
    """Tasks of each split, as many as wanted or as the family has."""
    found: dict[Split, list[Task]] = {name: [] for name in SPLITS}
    taken: set[str] = set()
    tries = _TRIES * sum(wanted.values())
    for item in islice(draws.items("task", seed, family.name), tries):
        task = family.draw(item)
        name = split(family.name, task.content, seed)
        key = task.instance if name == "train" else f"{name} {task.content}"
        if len(found[name]) == wanted[name] or key in taken:
            continue
        taken.add(key)
        found[name].append(task)
        if all(len(found[name]) == wanted[name] for name in SPLITS):
            break
    return found


def _row(family: Family, task: Task) -> dict[str, Any]:
    verdict = judge(task.verifier, task.arguments, f"Answer: {task.answer}\n\n", "plain")
    if not verdict.passed:
        raise ValueError(f"{family.name}: {task.question!r}: {verdict.reason}")
    name = identity(family.name, task.instance)
    return {
        "id": name,
        "family": family.name,
        "domain": family.domain,
        "content": task.content,
        "question": task.question,
        "answer": task.answer,
        "trace": task.trace,
        "verifier": task.verifier,
        "arguments": json.dumps(task.arguments, sort_keys=True),
        "tool_call": task.tool_call,
        "tools": tools.system(name, task.tool_call) if task.tool_call else "",
    }
