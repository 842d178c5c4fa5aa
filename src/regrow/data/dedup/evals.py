"""What training texts must not contain: the items of `evals/*.jsonl`, and the tasks of dev and test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.data.dedup.items import Item
from regrow.data.tables import jsonl
from regrow.data.tables import parquet as tables

HELDOUT = ("dev", "test")
"""splits of the tasks that nothing is trained on"""
_OPTIONAL = ("question", "answer")
_BESIDE = (".md", ".txt", ".dvc", ".yaml")
"""of files that say something about the others"""


def load(folder: Path) -> list[Item]:
    """All items of all sets, by file name and line.

    A row has `text`, or `question` and if there is one `answer`, or all of them. A question is looked for
    by itself too.

    Raises:
        ValueError: a line is no JSON object with the string `id` and one of `text` and `question`,
            another of these fields is no string, an id is taken, or a file is there that is not read.
    """
    items: list[Item] = []
    taken: set[str] = set()
    for path in _files(folder):
        for number, row in jsonl.rows(path):
            where = f"{path.name}, line {number}"
            if isinstance(row, str):
                raise ValueError(f"{where}: {row}; write one object per line")
            item = _item(row, where)
            if item.id in taken:
                raise ValueError(f"{where}: id {item.id!r} is taken; ids must differ")
            taken.add(item.id)
            items.append(item)
    return items


def _files(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        name = path.name
        if path.is_file() and path.suffix.lower() == ".jsonl":
            found.append(path)
        elif not (name.startswith((".", "LICENSE", "LICENCE")) or path.suffix in _BESIDE):
            raise ValueError(
                f"evals/{name} is not read: items are rows of *.jsonl in this folder itself; turn it "
                "into such a file, or move it elsewhere"
            )
    return found


def _item(row: dict[str, Any], where: str) -> Item:
    needed = (
        ("id",) if isinstance(row.get("question"), str) and "text" not in row else ("id", "text")
    )
    for name in needed:
        if not isinstance(row.get(name), str):
            raise ValueError(f"{where}: field {name} must be a string")
    for name in _OPTIONAL:
        if not isinstance(row.get(name), str | None):
            raise ValueError(f"{where}: field {name} must be a string, if it is there")
    parts = [row[name] for name in _OPTIONAL if row.get(name)]
    return Item(row["id"], row.get("text", "\n".join(parts)), row.get("question"))


def tasks(folder: Path) -> list[Item]:
    """The questions of the tasks of dev and test, to be found as a whole."""
    return [
        Item(row["id"], row["question"], exact=True)
        for split in HELDOUT
        for row in tables.read(folder / f"{split}.parquet", ["id", "question"]).to_dicts()
    ]
