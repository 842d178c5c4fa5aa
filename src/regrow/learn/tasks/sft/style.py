"""Answers of a small model from `sources/teacher/*.jsonl`: a manner of speaking, not facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.data.tables import jsonl
from regrow.data.tables.conservation import balanced
from regrow.learn.tasks.sft.example import Example, identity

_NEEDED: dict[str, type] = {
    "id": str,
    "teacher": str,
    "seed": int,
    "licence": str,
    "prompt": str,
    "response": str,
}
NO_STEPS = "No steps are needed."
"""the think part of an answer that the teacher gave without one"""


def read(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, object]]]:
    """Rows of all files, sorted by id, and drops for lines that are no such rows.

    A folder without files, or none at all, gives no rows.
    """
    rows: dict[str, dict[str, Any]] = {}
    drops: list[dict[str, object]] = []
    lines = 0
    for path in sorted(folder.glob("*.jsonl")):
        for number, row in jsonl.rows(path):
            lines += 1
            wrong = row if isinstance(row, str) else _wrong(row, rows)
            if isinstance(row, str) or wrong:
                drops.append(_drop(f"{path.name}, line {number}", "malformed", wrong))
            elif row.get("finished") is False:
                drops.append(_drop(row["id"], "truncated", "the teacher was cut off"))
            else:
                rows[row["id"]] = row
    balanced("sft_data", "lines of teachers", lines, rows=len(rows), dropped=len(drops))
    return [rows[i] for i in sorted(rows)], drops


def _wrong(row: dict[str, Any], taken: dict[str, dict[str, Any]]) -> str:
    for name, kind in _NEEDED.items():
        value = row.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) or value == "":
            return f"field {name} must be {kind.__name__}"
    if not -(2**63) <= row["seed"] < 2**63:
        return "field seed must fit 64 bits"
    if not (row["prompt"].strip() and row["response"].strip()):
        return "prompt and response must say something"
    return "id taken" if row["id"] in taken else ""


def _drop(identity: str, reason: str, detail: str) -> dict[str, object]:
    return {"id": identity, "step": "sft_data", "reason": reason, "detail": detail}


def example(row: dict[str, Any], branch: str) -> Example:
    """A teacher's answer as an example of the branch `think` or `instruct`."""
    turn: dict[str, Any] = {"role": "assistant", "content": row["response"].strip()}
    if branch == "think":
        turn = {**turn, "reasoning_content": NO_STEPS}
    return Example(
        id=identity("style", branch, row["id"]),
        kind="style",
        task=None,
        family="style",
        teacher=row["teacher"],
        seed=row["seed"],
        licence=row["licence"],
        messages=[{"role": "user", "content": row["prompt"].strip()}, turn],
    )
