"""No text of the mix holds an item of an eval, nor the content of a dev or test task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.dedup import evals
from regrow.dedup.overlap import References
from regrow.dedup.shingles import Shingler
from regrow.tables import parquet as tables

HELDOUT = ("dev", "test")


class Leaks:
    """What must not occur: the items of `evals/`, and the tasks of dev and test.

    Items, and the questions of tasks, are found by word n-grams (Olmo 3, section 4.2.1: 8-grams,
    overlap 0.5; `regrow.dedup.overlap` says of what). A question of a procedural task shares its
    wording with all others of its family, so tasks are compared by content.
    """

    def __init__(self, evals_folder: Path, tasks_folder: Path, ngram: int, limit: float) -> None:
        self.limit = limit
        self._shingler = Shingler(ngram)
        items = evals.load(evals_folder)
        self._names = [item.id for item in items]
        self._items = References([self._shingler.set(item.text) for item in items])
        self._contents: dict[tuple[str, str], str] = {}
        questions: list[str] = []
        self._tasks: list[str] = []
        for split in HELDOUT:
            columns = ["id", "family", "content", "question"]
            for row in tables.read(tasks_folder / f"{split}.parquet", columns).to_dicts():
                self._contents[row["family"], row["content"]] = row["id"]
                questions.append(row["question"])
                self._tasks.append(row["id"])
        self._questions = References([self._shingler.set(text) for text in questions])

    def __len__(self) -> int:
        """Items and tasks that are looked for."""
        return len(self._names) + len(self._tasks)

    def find(self, text: str, contents: tuple[tuple[str, str], ...] = ()) -> dict[str, Any] | None:
        """Why the text must be dropped (reason, value, threshold, detail), or None.

        `contents`: (family, content) of the tasks that the text was made from; a text without is
        compared with the questions of tasks by its words.
        """
        for content in contents:
            if content in self._contents:
                detail = self._contents[content]
                return {"reason": "leak.content", "value": 1.0, "threshold": 1.0, "detail": detail}
        grams = self._shingler.set(text)
        against = [(self._items, self._names, "leak.eval")]
        if not contents:
            against.append((self._questions, self._tasks, "leak.task"))
        for references, names, reason in against:
            value, which = references.overlap(grams)
            if which >= 0 and value >= self.limit:
                found = {"reason": reason, "value": value, "threshold": self.limit}
                return found | {"detail": names[which]}
        return None
