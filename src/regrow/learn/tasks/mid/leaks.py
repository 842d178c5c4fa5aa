"""No text of any stage holds an item of an eval, nor the content of a dev or test task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from regrow.data.dedup import evals
from regrow.data.dedup.items import Items, Reader
from regrow.data.tables import parquet as tables

NGRAM, LIMIT = 8, 0.5
"""words of an n-gram, and the share of an item's that is a leak (Olmo 3 report, section 4.2.1)"""


class Leaks:
    """What must not occur: the items of `evals/`, and the tasks of dev and test.

    Both are looked for by their words (`regrow.data.dedup.items`). A text that our own generators made
    of train tasks shares its wording with all tasks of the family; such a text says which contents
    it has, and these are compared instead of its words.
    """

    def __init__(
        self, evals_folder: Path, tasks_folder: Path, ngram: int = NGRAM, limit: float = LIMIT
    ) -> None:
        self._reader = Reader()
        self._items, self._tasks = (
            Items(found, self._reader, ngram, limit)
            for found in (evals.load(evals_folder), evals.tasks(tasks_folder))
        )
        self._contents: dict[tuple[str, str], str] = {}
        for split in evals.HELDOUT:
            table = tables.read(tasks_folder / f"{split}.parquet", ["id", "family", "content"])
            for row in table.to_dicts():
                self._contents[row["family"], row["content"]] = row["id"]

    def __len__(self) -> int:
        """Items and tasks that are looked for."""
        return len(self._items) + len(self._tasks)

    def find(self, text: str, contents: tuple[tuple[str, str], ...] = ()) -> dict[str, Any] | None:
        """Why the text must be dropped (reason, value, threshold, detail), or None.

        `contents`: (family, content) of the tasks that our own generators made the text from; a text
        without is anybody's, and is searched for the questions of tasks.
        """
        for content in contents:
            if content in self._contents:
                detail = self._contents[content]
                return {"reason": "leak.content", "value": 1.0, "threshold": 1.0, "detail": detail}
        said = self._reader.read(text)
        if hit := self._items.find(said):
            reason = "leak.quote" if hit.quote else "leak.eval"
        elif not contents and (hit := self._tasks.find(said)):
            reason = "leak.task"
        else:
            return None
        found = {"reason": reason, "value": hit.value, "threshold": hit.threshold}
        return found | {"detail": hit.id}


def everything(messages: Iterable[Mapping[str, Any]]) -> str:
    """All that a conversation says, whoever says it: contents, thoughts, calls and their results."""
    parts: list[str] = []
    for message in messages:
        parts += [message.get("reasoning_content") or "", message.get("content") or ""]
        parts += message.get("tool_calls") or ()
    return "\n\n".join(part for part in parts if part)
