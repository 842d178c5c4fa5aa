"""The eval texts that training documents must not contain: `evals/*.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One item of an eval set."""

    id: str
    text: str


def load(folder: Path) -> list[Item]:
    """All items of all sets, by file name and line.

    Raises:
        ValueError: a line is no JSON object with the strings `id` and `text`, or an id is taken.
    """
    items: list[Item] = []
    taken: set[str] = set()
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{where}: no JSON ({error.msg}); write one object per line"
                ) from None
            for name in ("id", "text"):
                if not isinstance(row, dict) or not isinstance(row.get(name), str):
                    raise ValueError(f"{where}: field {name} must be a string")
            if row["id"] in taken:
                raise ValueError(f"{where}: id {row['id']!r} is taken; ids must differ")
            taken.add(row["id"])
            items.append(Item(row["id"], row["text"]))
    return items
